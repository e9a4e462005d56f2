"""Installing pgsim in a database, and bringing an older one up to date."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from psycopg import errors, sql

from pgsim.errors import PgsimError
from pgsim.features.profile import Profile
from pgsim.postgres.connection import Connection
from pgsim.store.collection import (
    Collection,
    no_collection,
    read_collection,
    write_collection,
    write_columns,
)

_PACKAGE = Path(__file__).parents[1]
# In a wheel, sql/ and alembic/ lie inside the package; in a checkout, beside it.
_ROOT = _PACKAGE if (_PACKAGE / "sql").is_dir() else _PACKAGE.parent
SQL, REVISIONS = _ROOT / "sql", _ROOT / "alembic"


def install(conn: Connection, profile: Profile) -> bool:
    """Install pgsim for a profile, in one transaction; False where it was there already.

    Which columns say a recording's title and so on can change later, since no vector is made of
    them. PgsimError where the database holds another profile.
    """
    from pgsim.store import revisions  # slow to import, and most commands never ask for it

    with _alone(conn):
        if is_installed(conn):
            _require_profile(read_collection(conn), profile)
            write_columns(conn, profile)
            return False
        conn.execute(read_sql("pgsim.sql", dimensions=profile.dimensions))
        write_collection(conn, profile)
        revisions.stamp(conn, REVISIONS, profile.dimensions)
        return True


def upgrade(conn: Connection) -> tuple[str | None, str | None]:
    """Bring an installed schema up to date, in one transaction; the revisions before and after.

    pgsim's functions, views, types and triggers are dropped and made again from sql/, with the
    privileges that were granted on them; tables go through alembic's revisions. What else is in the
    schema is the user's, and stays. PgsimError names an object of the user's that depends on
    pgsim's code, or bears a name of it.
    """
    from pgsim.store import revisions

    with _alone(conn):
        if not is_installed(conn):
            raise no_collection(conn)
        # A refresh is waited for; it would wait for the tables that are changed here.
        conn.execute("SELECT pg_advisory_xact_lock(hashtext('pgsim.similarity'))")
        # By what every revision has: the rest of the collection's row may be of an older shape.
        sizes = conn.execute("SELECT coalesce(sum(length), 0) FROM pgsim.feature_set").fetchone()
        assert sizes is not None
        dimensions = int(sizes[0])
        before = revision(conn)
        # Made anew to be asked, since it may be missing; without its view the matrix shows none.
        conn.execute(read_sql("functions/rebuild/shown_similarity.sql"))
        row = conn.execute("SELECT pgsim.shown_similarity()").fetchone()
        shown = (row and row[0]) or "similarity_a"
        privileges = _privileges(conn)
        _drop_code(conn)
        revisions.upgrade(conn, REVISIONS, dimensions, "head")
        conn.execute(read_sql("schema.sql"))
        conn.execute(read_sql("code.sql"))
        conn.execute("SELECT pgsim.show_similarity(%s)", (shown,))
        if before != revision(conn):
            conn.execute("SELECT pgsim.fill_reaches('pgsim.similarity')")
        for statement in privileges:
            conn.execute(statement.encode())
        if _has_roles(conn):
            grant_roles(conn)
        return before, revision(conn)


def grant_roles(conn: Connection) -> None:
    """Make the roles pgsim_reader and pgsim_writer, and give them their rights in this database.

    PgsimError, with what others may run, for a role that may not make roles or grant.
    """
    row = conn.execute(
        "SELECT pg_has_role(nspowner, 'USAGE') FROM pg_namespace WHERE nspname = 'pgsim'"
    ).fetchone()
    if row != (True,):
        raise PgsimError(
            f"role '{conn.info.user}' does not own the schema pgsim: its owner may run"
            " pgsim init --roles"
        )
    try:
        with conn.transaction():
            conn.execute(read_sql("roles.sql"))
    except errors.InsufficientPrivilege as error:
        raise PgsimError(
            f"role '{conn.info.user}' may not make these roles ({error.diag.message_primary}):"
            " as a superuser run CREATE ROLE pgsim_reader; CREATE ROLE pgsim_writer IN ROLE"
            " pgsim_reader; then pgsim init --roles again"
        ) from None


def is_installed(conn: Connection) -> bool:
    """Whether this database has pgsim's tables."""
    row = conn.execute("SELECT to_regclass('pgsim.collection') IS NOT NULL").fetchone()
    return bool(row and row[0])


def revision(conn: Connection) -> str | None:
    """The alembic revision that the database's tables are of."""
    row = conn.execute("SELECT version_num FROM pgsim.alembic_version").fetchone()
    return row[0] if row else None


def newest_revision() -> str | None:
    """The alembic revision that this version of pgsim works with."""
    from pgsim.store import revisions

    return revisions.newest(REVISIONS)


def build_from_revisions(conn: Connection, dimensions: int, last: str = "head") -> None:
    """The other road to the same schema: every revision from the first, then the code.

    Tables of a revision before the newest are left without the code, which is not theirs.
    """
    from pgsim.store import revisions

    conn.execute(read_sql("schema.sql"))
    revisions.upgrade(conn, REVISIONS, dimensions, last)
    if last == "head":
        conn.execute(read_sql("schema.sql"))
        conn.execute(read_sql("code.sql"))


def add_to_search_path(conn: Connection) -> str | None:
    """Put pgsim on the database's search path, for unqualified calls.

    Returns the statement that undoes it; None where it was there already. A role that does not own
    the database gets PgsimError with the statement that its owner may run.
    """
    database = conn.info.dbname
    row = conn.execute(
        "SELECT substr(setting, 13) FROM pg_db_role_setting AS s"
        " JOIN pg_database AS d ON d.oid = s.setdatabase, unnest(s.setconfig) AS setting"
        " WHERE d.datname = %s AND s.setrole = 0 AND starts_with(setting, 'search_path=')",
        (database,),
    ).fetchone()
    before = row[0] if row else '"$user", public'
    if before == '""':  # an empty path, which SET takes only as a text
        before = "''"
    if "pgsim" in [name.strip() for name in before.split(",")]:
        return None
    alter = sql.SQL("ALTER DATABASE {} ").format(sql.Identifier(database)).as_string(conn)
    statement = f"{alter}SET search_path = {before}, pgsim"
    try:
        with conn.transaction():
            conn.execute(statement.encode())
    except errors.InsufficientPrivilege:
        raise PgsimError(
            f"role '{conn.info.user}' does not own database '{database}'; for unqualified calls"
            f" its owner may run: {statement}"
        ) from None
    return f"{alter}SET search_path = {before}" if row else f"{alter}RESET search_path"


def read_sql(name: str, **parameters: int) -> bytes:
    """A file of sql/ with its includes in place and its parameters (`:name`) bound."""
    text = "".join(_lines(SQL / name))
    for key, value in parameters.items():
        text = text.replace(f":{key}", str(value))
    return text.encode()


def _lines(path: Path) -> Iterator[str]:
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        if line.startswith("\\ir "):
            yield from _lines(path.parent / line.removeprefix("\\ir ").strip())
        else:
            yield line


def _code_names(folder: str) -> list[str]:
    """The names of what sql/code.sql makes: each file's own."""
    return [path.stem for path in (SQL / folder).rglob("*.sql")]


def _privileges(conn: Connection) -> list[str]:
    """The statements that give pgsim's code the privileges that were granted on it."""
    query = """
        SELECT statement FROM (
            SELECT 'ROUTINE', proname, proacl FROM pg_proc
            WHERE pronamespace = 'pgsim'::regnamespace AND proname = ANY(%(functions)s)
            UNION ALL
            SELECT 'TABLE', relname, relacl FROM pg_class
            WHERE relnamespace = 'pgsim'::regnamespace AND relkind = 'v'
                AND relname = ANY(%(views)s)
            UNION ALL
            SELECT 'TYPE', typname, typacl FROM pg_type
            WHERE typnamespace = 'pgsim'::regnamespace AND typname = ANY(%(types)s)
        ) AS code (kind, name, acl)
        CROSS JOIN LATERAL (
            SELECT 1, format('REVOKE ALL ON %%s pgsim.%%I FROM PUBLIC', kind, name)
            WHERE acl IS NOT NULL
            UNION ALL
            SELECT 2, format(
                'GRANT %%s ON %%s pgsim.%%I TO %%s%%s', privilege_type, kind, name,
                CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END,
                CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
            )
            FROM aclexplode(acl)
        ) AS made (turn, statement)
        ORDER BY kind, name, turn
    """
    names = {folder: _code_names(folder) for folder in ("functions", "views", "types")}
    return [statement for (statement,) in conn.execute(query.encode(), names)]


def _drop_code(conn: Connection) -> None:
    """Drop what sql/code.sql makes, by its names; all else in the schema is the user's.

    PgsimError where an object of such a name has no comment, and so is none of pgsim's, or where
    one of the user's depends on what is dropped. What a version makes no more, its revision drops.
    """
    kinds = {
        "TRIGGER": "SELECT format('%%I ON %%s', tgname, tgrelid::regclass), true"
        " FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid"
        " WHERE c.relnamespace = 'pgsim'::regnamespace AND tgname = ANY(%s)",
        "ROUTINE": "SELECT oid::regprocedure::text, obj_description(oid, 'pg_proc') IS NOT NULL"
        " FROM pg_proc WHERE pronamespace = 'pgsim'::regnamespace AND proname = ANY(%s)",
        "VIEW": "SELECT oid::regclass::text, obj_description(oid, 'pg_class') IS NOT NULL"
        " FROM pg_class WHERE relnamespace = 'pgsim'::regnamespace AND relkind = 'v'"
        " AND relname = ANY(%s)",
        "TYPE": "SELECT t.oid::regtype::text, obj_description(t.oid, 'pg_type') IS NOT NULL"
        " FROM pg_type AS t JOIN pg_class AS c ON c.oid = t.typrelid"
        " WHERE t.typnamespace = 'pgsim'::regnamespace AND c.relkind = 'c' AND t.typname = ANY(%s)",
    }
    for kind, query in kinds.items():
        found = conn.execute(
            query.encode(), (_code_names("functions" if kind == "ROUTINE" else f"{kind.lower()}s"),)
        ).fetchall()
        for name, is_commented in found:
            if not is_commented:
                raise PgsimError(
                    f"{kind.lower()} {name} bears a name of pgsim's, and is none of its own, which"
                    " all have a comment: rename it, or move it to another schema, then upgrade"
                )
        names = [name for name, _ in found]
        # Triggers go one by one; the others together, since they depend on one another.
        batches = names if kind == "TRIGGER" else [", ".join(names)] if names else []
        for batch in batches:
            try:
                conn.execute(f"DROP {kind} {batch}".encode())
            except errors.DependentObjectsStillExist as error:
                detail = (error.diag.message_detail or "").replace("\n", "; ")
                raise PgsimError(
                    f"an object of yours depends on pgsim's code ({detail}):"
                    " drop it, upgrade, and make it again"
                ) from None


@contextmanager
def _alone(conn: Connection) -> Iterator[None]:
    """A transaction in which no other installs or upgrades."""
    with conn.transaction():
        conn.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
        conn.execute("SELECT pg_advisory_xact_lock(hashtext('pgsim.schema'))")
        yield


def _has_roles(conn: Connection) -> bool:
    """Whether pgsim's roles were given rights in this database."""
    row = conn.execute(
        "SELECT EXISTS (SELECT FROM pg_namespace AS n, aclexplode(n.nspacl) AS a"
        " WHERE n.nspname = 'pgsim' AND a.grantee = to_regrole('pgsim_reader'))"
    ).fetchone()
    return bool(row and row[0])


def _require_profile(collection: Collection, wanted: Profile) -> None:
    held = collection.profile
    if replace(held, columns=wanted.columns) == wanted:
        return
    other = f"'{wanted.name}'"
    if held.name == wanted.name:
        odd = {each.name for each in set(held.sets) ^ set(wanted.sets)}
        what = f"feature sets {', '.join(sorted(odd))}" if odd else "extractor or genre scheme"
        other = f"another of that name, with other {what}"
    raise PgsimError(
        f"this database holds profile '{held.name}', not {other}:"
        " one database, one profile; name another database"
    )
