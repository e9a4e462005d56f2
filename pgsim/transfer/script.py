"""The SQL of a dump, as psql runs it: in parts, without commands of psql, in one transaction."""

import re
from collections.abc import Iterable, Iterator, Sequence

from pgsim.transfer.statements import Statements

_ROWS = re.compile(rb"^COPY [^\n]* FROM stdin;\n", re.MULTILINE)
_ROWS_END = re.compile(rb"^\\\.\r?\n", re.MULTILINE)  # to psql, too
# Newer releases of pg_dump and pg_restore write these around their SQL.
_RESTRICTION = rb"\\(?:un)?restrict [A-Za-z0-9]+"

# Statements that end a transaction are refused before psql has them. Should one get there, the
# trigger looks at the end of a transaction whether it is the end of the restore, and a transaction
# that begins after a ROLLBACK can write nothing.
_BEGIN = r"""
SET default_transaction_read_only = on;
BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
CREATE TEMPORARY TABLE pgsim_restore (is_whole boolean NOT NULL) ON COMMIT DROP;
CREATE FUNCTION pg_temp.pgsim_require_whole() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT (SELECT r.is_whole FROM pg_temp.pgsim_restore AS r) THEN
        RAISE EXCEPTION 'the dump would end the transaction of the restore';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER require_whole AFTER INSERT ON pg_temp.pgsim_restore
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION pg_temp.pgsim_require_whole();
INSERT INTO pg_temp.pgsim_restore VALUES (false);
\restrict {key}
"""
_END = """
UPDATE pg_temp.pgsim_restore SET is_whole = true;
COMMIT;
"""
# What PostgreSQL and psql say where a script does what a dump does not do, and why.
REFUSALS = {
    r"backslash commands are restricted": "a dump holds no commands of psql: make another one, by"
    " pgsim dump",
    r"invalid command \\restrict": "this psql cannot refuse the commands of psql in a dump: pip"
    " install 'pgsim[embedded]', or install a newer release of it (16.10, 17.6, 18 and later can)",
    r"would end the transaction of the restore": "a dump holds no COMMIT: make another one, by"
    " pgsim dump",
    r"read-only transaction|pg_temp\.pgsim_restore": "a dump holds no ROLLBACK: make another one,"
    " by pgsim dump",
}


def in_one_transaction(
    script: Iterable[bytes], key: str, first: str, last: str, unknown: Sequence[str]
) -> Iterator[bytes]:
    """Yield SQL for psql that runs the script whole or not at all, with SQL before and after it.

    psql runs no command of its own in the script: `key`, of letters and digits, is not to be
    guessed. Settings that are `unknown` to the server are left out. `script` is in chunks of whole
    lines. StrangeStatementError where it has a statement that no dump has.
    """
    settings = [rb"SET %s = 0;" % name.encode() for name in unknown]
    left_out = re.compile(rb"^(?:%s)\r?\n" % b"|".join([_RESTRICTION, *settings]), re.MULTILINE)
    yield first.encode()
    yield _BEGIN.replace("{key}", key).encode()
    statements = Statements()
    for part, is_rows in split(script):
        if not is_rows:
            part = left_out.sub(b"", part)
            line = part[part.rfind(b"\n", 0, -1) + 1 :]
            statements.read(part, rows_follow=_ROWS.match(line) is not None)
        yield part
    yield f"\n{last}\n{_END}".encode()


def split(chunks: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Yield parts of a dump's SQL, and whether each is rows of COPY. Chunks are of whole lines."""
    is_rows = False
    for chunk in chunks:
        at = 0
        while at < len(chunk):
            edge = (_ROWS_END if is_rows else _ROWS).search(chunk, at)
            end = edge.end() if edge else len(chunk)
            yield chunk[at:end], is_rows
            is_rows ^= edge is not None
            at = end
