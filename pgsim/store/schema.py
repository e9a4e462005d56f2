"""Installing pgsim in a database, and bringing an older one up to date."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from psycopg import errors, sql

from pgsim.errors import PgsimError
from pgsim.features.profile import Profile
from pgsim.postgres.connection import Connection, naming_pgvector, require_own_transactions
from pgsim.postgres.pooler import require_session
from pgsim.postgres.rows import one_row, one_value
from pgsim.postgres.session import without_timeouts
from pgsim.progress import Say, silent
from pgsim.store import code, locks, steps
from pgsim.store.collection import (
    Collection,
    no_collection,
    read_collection,
    read_revision,
    require_not_newer,
    write_collection,
    write_columns,
)
from pgsim.store.files import REVISIONS, newest_revision, read_sql
from pgsim.store.table_locks import lock_all

DEFAULT_PATH = ['"$user"', "public"]  # PostgreSQL's own, quoted for SET
_NAME = re.compile(r'"((?:[^"]|"")*)"|([^\s,"][^\s,]*)')
_CAPITALS = re.compile("[A-Z]+")


def install(conn: Connection, profile: Profile, say: Say = silent) -> bool:
    """Install pgsim for a profile, in one transaction; return False where it is there already.

    The columns that hold a recording's title and so on can change later, since no vector is made
    of them. PgsimError where the database holds another profile.
    """
    require_session(conn, "init")
    with _alone(conn, say):
        if is_installed(conn):
            _require_profile(read_collection(conn), profile)
            write_columns(conn, profile)
            return False
        _require_own_schema(conn)
        with naming_pgvector(conn):
            conn.execute(read_sql("pgsim.sql", dimensions=profile.dimensions))
        code.require_own_dependencies(conn)
        write_collection(conn, profile)
        return True


def upgrade(conn: Connection, say: Say = silent, revisions: Path = REVISIONS) -> tuple[str, str]:
    """Bring an installed schema up to date; return the revisions before and after.

    Tables go through the `revisions`, and pgsim's functions, views, types and triggers become those
    of sql/, in one transaction; `steps` says what may run before and after it. An interrupted
    upgrade goes on when it is called again. Privileges stay, and so does what else is in the
    schema. PgsimError names an object of the user's that depends on what changes, or has a name
    of pgsim's. `conn` is in autocommit mode; `say` receives each step.
    """
    require_own_transactions(conn, "upgrade")
    require_session(conn, "init")
    require_not_newer(conn, read_revision(conn), newest_revision(revisions))
    with without_timeouts(conn), _as_owner(conn), locks.held(conn, locks.SCHEMA, say=say):
        from pgsim.store.revisions import migrate  # slow to import, and needed by nothing else

        before = read_revision(conn)
        # Every revision has this column: the rest of the row may have another shape.
        dimensions = one_value(conn, "SELECT sum(length)::integer FROM pgsim.feature_set")
        if dimensions is None:
            raise no_collection(conn)
        lacking = steps.lacking(revisions, before)
        steps.run_before(conn, revisions, lacking, dimensions, say)
        # A refresh is waited for: it would wait for the tables that change here.
        with (
            locks.held(conn, locks.MATRIX, say=say),
            _alone(conn, say),
            code.dependants_named(),
        ):
            lock_all(conn, say)
            code.require_own_names(conn)
            privileges = code.read_privileges(conn)
            with naming_pgvector(conn):
                conn.execute(read_sql("schema.sql"))
            # The function may be missing, and without its view the matrix shows no table.
            code.replace_file(conn, "functions/rebuild/shown_similarity.sql")
            shown = one_value(conn, "SELECT pgsim.shown_similarity()") or "similarity_a"
            migrate(conn, revisions, dimensions)
            steps.note_after(conn, revisions, lacking)
            code.replace_code(conn)
            code.require_own_dependencies(conn)
            conn.execute("SELECT pgsim.show_similarity(%s)", (shown,))
            after = read_revision(conn)
            if after != before:
                conn.execute("SELECT pgsim.fill_reaches('pgsim.similarity')")
            code.restore_privileges(conn, privileges)
            if _has_roles(conn):
                grant_roles(conn)
        steps.run_after(conn, revisions, dimensions, say)
        return before, after


def grant_roles(conn: Connection) -> None:
    """Create the roles of readers, listeners and writers, with their rights in this database.

    PgsimError, with what others may run, for a role that may not create roles or grant.
    """
    owns = (
        "SELECT bool_or(pg_has_role(nspowner, 'USAGE')) FROM pg_namespace WHERE nspname = 'pgsim'"
    )
    if not one_value(conn, owns):
        raise PgsimError(
            f"role '{conn.info.user}' does not own the schema pgsim: its owner may run"
            " pgsim init --roles"
        )
    try:
        with conn.transaction():
            conn.execute(read_sql("roles.sql"))
    except errors.InsufficientPrivilege as error:
        raise PgsimError(
            f"role '{conn.info.user}' may not create these roles ({error.diag.message_primary}):"
            " as a superuser run CREATE ROLE pgsim_reader; CREATE ROLE pgsim_listener IN ROLE"
            " pgsim_reader; CREATE ROLE pgsim_writer IN ROLE pgsim_reader; then pgsim init --roles"
            " again"
        ) from None


def is_installed(conn: Connection) -> bool:
    """Return whether this database has pgsim's tables."""
    return one_value(conn, "SELECT to_regclass('pgsim.collection')") is not None


@dataclass(frozen=True, slots=True)
class PathChange:
    """A way to put pgsim on a database's search path, so that calls need no schema."""

    database: str
    statement: str
    undo: str

    @property
    def is_done(self) -> str:
        """Words for a change that was made."""
        return f"pgsim is on the search path of '{self.database}'; to undo that: {self.undo}"

    def is_refused(self, role: str) -> str:
        """Words for a role that may not make the change, with who may."""
        return (
            f"role '{role}' does not own database '{self.database}'; for unqualified calls its"
            f" owner may run: {self.statement}"
        )


def search_path_change(conn: Connection) -> PathChange | None:
    """Return the statement that puts pgsim on the search path; None where it is there."""
    database = conn.info.dbname
    held = path_of_database(conn)
    names = DEFAULT_PATH if held is None else held
    if "pgsim" in names:
        return None
    before = ", ".join(names)
    alter = sql.SQL("ALTER DATABASE {} ").format(sql.Identifier(database)).as_string(conn)
    return PathChange(
        database,
        f"{alter}SET search_path = {before}, pgsim",
        f"{alter}RESET search_path" if held is None else f"{alter}SET search_path = {before}",
    )


def add_to_search_path(conn: Connection) -> PathChange | None:
    """Put pgsim on the database's search path; return how, or None where it was there already.

    PgsimError for a role that does not own the database, with the statement that its owner may run.
    """
    change = search_path_change(conn)
    if change:
        try:
            with conn.transaction():
                conn.execute(change.statement.encode())
        except errors.InsufficientPrivilege:
            raise PgsimError(change.is_refused(conn.info.user)) from None
    return change


def path_of_database(conn: Connection) -> list[str] | None:
    """The names of the search path that the database sets, quoted for SET; None where it sets none.

    Who owns the database can write there what is a list of names to PostgreSQL, and would be
    statements in another's SQL.
    """
    row = conn.execute(
        "SELECT substr(setting, 13) FROM pg_db_role_setting AS s"
        " JOIN pg_database AS d ON d.oid = s.setdatabase, unnest(s.setconfig) AS setting"
        " WHERE d.datname = current_database() AND s.setrole = 0"
        " AND starts_with(setting, 'search_path=')"
    ).fetchone()
    if row is None:
        return None
    # PostgreSQL's own way to read it: a name in quotation marks, or whatever has no blank or comma.
    names = [
        found[1].replace('""', '"') if found[2] is None else _CAPITALS.sub(_lower, found[2])
        for found in _NAME.finditer(row[0])
    ]
    quoted = one_value(
        conn,
        "SELECT array_agg(CASE n.name WHEN '' THEN quote_literal('') ELSE quote_ident(n.name) END"
        " ORDER BY n.place) FROM unnest(%s::text[]) WITH ORDINALITY AS n (name, place)",
        (names or [""],),
    )
    return list(quoted)


def _lower(found: re.Match[str]) -> str:
    return found[0].lower()


@contextmanager
def _alone(conn: Connection, say: Say) -> Iterator[None]:
    """A transaction in which no other session installs or upgrades."""
    with without_timeouts(conn), locks.held(conn, locks.SCHEMA, say=say), conn.transaction():
        conn.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
        yield


def _require_own_schema(conn: Connection) -> None:
    """PgsimError where the schema is there already and another role's, with all that is in it."""
    owner = conn.execute(
        "SELECT pg_get_userbyid(nspowner)::text FROM pg_namespace"
        " WHERE nspname = 'pgsim' AND pg_get_userbyid(nspowner) <> current_user"
    ).fetchone()
    if owner:
        raise PgsimError(
            f"the schema pgsim is there already and belongs to role '{owner[0]}', which could"
            " change what pgsim's functions call: run pgsim init as that role, or DROP SCHEMA"
            " pgsim first"
        )


@contextmanager
def _as_owner(conn: Connection) -> Iterator[None]:
    """Work as the role that owns the schema, so that all that is made there belongs to it.

    A function of a superuser's in another's schema would call what that other puts there.
    """
    role, owner, name = one_row(
        conn,
        "SELECT current_setting('role'), nspowner::regrole::text, pg_get_userbyid(nspowner)::text"
        " FROM pg_namespace WHERE nspname = 'pgsim'",
    )
    try:
        conn.execute(f"SET ROLE {owner}".encode())
    except errors.InsufficientPrivilege:
        raise PgsimError(
            f"role '{conn.info.user}' does not own the schema pgsim: its owner '{name}' may run"
            " pgsim init --upgrade"
        ) from None
    try:
        yield
    finally:
        if not conn.broken:
            conn.execute("SELECT set_config('role', %s, false)", (role,))


def _has_roles(conn: Connection) -> bool:
    """Return whether pgsim's roles have rights in this database."""
    return bool(
        one_value(
            conn,
            "SELECT EXISTS (SELECT FROM pg_namespace AS n, aclexplode(n.nspacl) AS a"
            " WHERE n.nspname = 'pgsim' AND a.grantee = to_regrole('pgsim_reader'))",
        )
    )


def _require_profile(collection: Collection, wanted: Profile) -> None:
    held = collection.profile
    if held.map or any(each.map for each in held.sets):  # pgsim tune has changed how sets are made
        held, wanted = _without_tuning(held), _without_tuning(wanted)
    if replace(held, columns=wanted.columns) == wanted:
        return
    other = f"'{wanted.name}'"
    if held.name == wanted.name:
        odd = {each.name for each in set(held.sets) ^ set(wanted.sets)}
        what = f"feature sets {', '.join(sorted(odd))}" if odd else "extractor or genre scheme"
        other = f"another of that name, with other {what}"
    same = (held.extractor, held.genre_scheme) == (wanted.extractor, wanted.genre_scheme)
    cure = "change its sets by pgsim profile, or " if same else ""
    raise PgsimError(
        f"this database holds profile '{held.name}', not {other}:"
        f" one database, one profile; {cure}name another database"
    )


def _without_tuning(profile: Profile) -> Profile:
    sets = (replace(each, transform="", weight=1.0, map=None) for each in profile.sets)
    return replace(profile, sets=tuple(sets), map=None)
