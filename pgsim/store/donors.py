"""The complete recordings of the last fit, from which missing feature sets are filled."""

import numpy as np
from numpy.typing import NDArray

from pgsim.postgres.connection import Connection
from pgsim.postgres.copying import copy_out


def read_donors(conn: Connection, dimensions: int) -> NDArray[np.float32]:
    """The vectors (n, dimensions) of pgsim.donor, in the order of their numbers."""
    rows = copy_out(
        conn,
        "SELECT vector FROM pgsim.donor ORDER BY number",
        [("vector", [("dimensions", ">i2"), ("unused", ">i2"), ("values", ">f4", dimensions)])],
    )
    return rows["vector"]["values"].astype(np.float32)


def keep_donors(conn: Connection, most: int) -> None:
    """Keep the first complete recordings, at most so many, for later loads."""
    conn.execute("SELECT pgsim.keep_donors(%s)", (most,))
