"""The places of recordings on the map, written to PostgreSQL and read from it as arrays."""

import numpy as np
from numpy.typing import NDArray

from pgsim.errors import PgsimError
from pgsim.postgres.connection import Connection
from pgsim.postgres.copying import copy_in, copy_out
from pgsim.postgres.rows import one_value
from pgsim.progress import Say, silent
from pgsim.store import locks


def read_places(conn: Connection) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The ids (n,) of the recordings on the map, ascending, and their places (n, 2).

    Recordings that are deleted are not among them. PgsimError where there is no map.
    """
    require_map(conn)
    rows = copy_out(
        conn,
        "SELECT p.id, p.x, p.y FROM pgsim.map_position AS p"
        " INNER JOIN pgsim.recording AS r ON p.id = r.id WHERE r.vector IS NOT NULL ORDER BY p.id",
        [("id", ">i4"), ("x", ">f4"), ("y", ">f4")],
    )
    places = np.stack([rows["x"], rows["y"]], axis=1).astype(np.float32)
    return rows["id"].astype(np.int32), places


def replace_places(
    conn: Connection, ids: NDArray[np.int32], places: NDArray[np.float32], say: Say = silent
) -> int:
    """Make a new map of places (n, 2); return how many recordings it has that are not in `ids`.

    These were listed meanwhile, and lie amidst their neighbours.
    """
    columns = {"id": ids, "x": places[:, 0], "y": places[:, 1]}
    with locks.held(conn, locks.MATRIX, say=say), conn.transaction():
        # TRUNCATE would make every reader wait.
        conn.execute("DELETE FROM pgsim.map_position")
        copy_in(conn, "pgsim.map_position (id, x, y)", columns)
        return place_the_rest(conn)


def place_the_rest(conn: Connection, say: Say = silent) -> int:
    """Give a place to all recordings that have a list and none; return how many got one.

    They lie amidst their neighbours. The places of deleted recordings are deleted. Nothing is done
    where there is no map.
    """
    with locks.held(conn, locks.MATRIX, say=say), conn.transaction():
        return int(one_value(conn, "SELECT pgsim.place_on_map()"))


def require_map(conn: Connection) -> None:
    """PgsimError where there is no map."""
    if not one_value(conn, "SELECT EXISTS (SELECT FROM pgsim.map_position)"):
        raise PgsimError("there is no map: pgsim map makes one")


def vacuum_map(conn: Connection) -> None:
    """Give the space of the old map back, and count the new one for the planner."""
    conn.execute("VACUUM (ANALYZE) pgsim.map_position")
