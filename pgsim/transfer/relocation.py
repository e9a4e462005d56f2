"""The SQL of a dump, for a server that has pgvector in another schema than the dump's server."""

import re
from collections.abc import Iterator
from itertools import chain

from pgsim.postgres.connection import Connection
from pgsim.postgres.rows import one_row
from pgsim.transfer.script import split

LONGEST_HEAD = 64 << 20  # bytes before the first rows of a dump, at most

# PostgreSQL's name of a schema, in quotation marks where it needs them.
_NAME = rb'((?:"(?:[^"]|"")+")|[a-z_][\w$]*)'
_COLUMN = re.compile(rb"^CREATE TABLE pgsim\.recording \([^;]*^    vector " + _NAME + rb"\.", re.M)
# pgvector's schema, and the names of its types, functions and operator classes.
_PGVECTOR = """
    SELECT
        quote_ident(n.nspname),
        (
            SELECT array_agg(DISTINCT coalesce(t.typname, p.proname, c.opcname)::text)
            FROM pg_depend AS d
            LEFT JOIN pg_type AS t ON d.classid = 'pg_type'::regclass AND d.objid = t.oid
            LEFT JOIN pg_proc AS p ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
            LEFT JOIN pg_opclass AS c ON d.classid = 'pg_opclass'::regclass AND d.objid = c.oid
            WHERE
                d.deptype = 'e' AND d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
                AND num_nonnulls(t.oid, p.oid, c.oid) > 0
        )
    FROM pg_extension AS e
    INNER JOIN pg_namespace AS n ON e.extnamespace = n.oid
    WHERE e.extname = 'vector'
"""


def relocated(conn: Connection, script: Iterator[bytes]) -> Iterator[bytes]:
    """The chunks of a dump's SQL, with the schema that has pgvector in this database.

    Each chunk is whole lines. Rows of tables stay as they are.
    """
    target, names = one_row(conn, _PGVECTOR)
    return _relocated(script, target.encode(), [name.encode() for name in names])


def _relocated(script: Iterator[bytes], target: bytes, names: list[bytes]) -> Iterator[bytes]:
    head = b""
    for chunk in script:
        head += chunk
        if _COLUMN.search(head) or b"FROM stdin;" in head or len(head) > LONGEST_HEAD:
            break
    found = _COLUMN.search(head)
    chunks = chain((head,), script)
    if found is None or found[1] == target:
        yield from chunks
        return
    alternatives = b"|".join(re.escape(name) for name in sorted(names))
    named = re.compile(
        rb'(?:(?<![\w$."])|(?<=OPERATOR\())'
        + re.escape(found[1])
        + rb"\.(?=(?:"
        + alternatives
        + rb")(?![\w$])|[-+*/<>=~!@#%^&|`?])"
    )
    for part, is_rows in split(chunks):
        yield part if is_rows else named.sub(lambda _: target + b".", part)
