"""A scratch database, and recordings to fill it with: real ones, or synthetic ones."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from psycopg import errors, sql
from psycopg.conninfo import make_conninfo

from pgsim.errors import PgsimError
from pgsim.features.profile import Profile, read_profile
from pgsim.planning.synthetic import make_vectors_of
from pgsim.postgres.connection import Connection, DatabaseError, connect, require_server
from pgsim.postgres.copying import copy_out
from pgsim.postgres.rows import one_value
from pgsim.postgres.session import without_timeouts
from pgsim.store import schema
from pgsim.store.collection import read_collection
from pgsim.store.recording import RECORDING_COLUMNS

SCRATCH = "pgsim_plan"
# By this connection limit a database is known as scratch: CREATE DATABASE itself sets it, while a
# comment needs a second statement, before which a plan can be killed.
MARK = 19_060
_INTERRUPTED = -2  # the limit of a database that is half dropped

CopyIn = Callable[[Connection], None]


def own(conn: Connection) -> tuple[Profile, NDArray[np.int32]]:
    """The database's profile, or the default, and the shuffled ids of recordings with a vector."""
    if one_value(conn, "SELECT to_regclass('pgsim.collection')") is None:
        return read_profile("acousticbrainz"), np.empty(0, np.int32)
    profile = read_collection(conn).profile
    rows = copy_out(
        conn,
        "SELECT id FROM pgsim.recording WHERE vector IS NOT NULL ORDER BY id",
        [("id", ">i4")],
    )
    ids = rows["id"].astype(np.int32)
    return profile, np.random.default_rng(0).permutation(ids)


def drawn(conn: Connection, ids: NDArray[np.int32]) -> CopyIn:
    """A function that copies recordings of one database, metadata included, into another."""
    columns = ", ".join(RECORDING_COLUMNS)
    query = f"COPY (SELECT {columns} FROM pgsim.recording WHERE id = ANY(%s)) TO STDOUT"

    def copy_in(scratch: Connection) -> None:
        into = f"COPY pgsim.recording ({columns}) FROM STDIN (FORMAT binary)"
        with (
            conn.cursor().copy(f"{query} (FORMAT binary)".encode(), (ids.tolist(),)) as rows,
            scratch.cursor().copy(into.encode()) as copy,
        ):
            for block in rows:
                copy.write(block)

    return copy_in


def made(profile: Profile, n: int) -> CopyIn:
    """A function that fills a database of that profile with n synthetic recordings."""
    vectors = make_vectors_of(profile.dimensions, n)

    def copy_in(conn: Connection) -> None:
        with conn.cursor().copy(
            "COPY pgsim.recording (mbid, title, artist, album, year, vector)"
            " FROM STDIN (FORMAT binary)"
        ) as copy:
            copy.set_types(["uuid", "text", "text", "text", "int2", "vector"])
            for number, vector in enumerate(vectors):
                # Multiples of an odd number are all different, and look random.
                mbid = UUID(int=number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % (1 << 128))
                names = (f"Title {number}", f"Artist {number % 997}", f"Album {number % 9973}")
                copy.write_row((mbid, *names, 1950 + number % 75, vector))

    return copy_in


@contextmanager
def scratch_database(conn: Connection, conninfo: str, profile: Profile) -> Iterator[Connection]:
    """A database of that profile on the same server, dropped at the end.

    One that a killed plan left is dropped first; PgsimError where the name is a user's database.
    """
    name = sql.Identifier(SCRATCH)
    drop = sql.SQL("DROP DATABASE IF EXISTS {}").format(name)
    row = conn.execute(
        "SELECT datconnlimit FROM pg_database WHERE datname = %s", (SCRATCH,)
    ).fetchone()
    if row is not None and row[0] not in (MARK, _INTERRUPTED):
        raise PgsimError(f"the server has a database '{SCRATCH}' of somebody's: rename it")
    try:
        conn.execute(drop)
        conn.execute(sql.SQL("CREATE DATABASE {} CONNECTION LIMIT {}").format(name, MARK))
    except errors.InsufficientPrivilege:
        raise PgsimError(
            f"role '{conn.info.user}' may not make the scratch database that samples are measured"
            f" in: as a superuser run ALTER ROLE {conn.info.user} CREATEDB"
        ) from None
    except (errors.ObjectInUse, errors.DuplicateDatabase):
        raise PgsimError("another pgsim plan is at work on this server: wait for it") from None
    try:
        with (
            closing(connect(make_conninfo(conninfo, dbname=SCRATCH), autocommit=True)) as scratch,
            without_timeouts(scratch),
        ):
            try:
                require_server(scratch)
            except DatabaseError as error:
                raise DatabaseError(f"{error}; for every new one: in template1") from None
            schema.install(scratch, profile)
            yield scratch
    finally:
        conn.execute(drop + sql.SQL(" WITH (FORCE)"))
