"""Recordings in the plane, whose MBIDs are numbers."""

from uuid import UUID

from pgsim.postgres.connection import Connection


def mbid(number: int) -> UUID:
    """The MBID of a recording by its number."""
    return UUID(int=number)


def insert(conn: Connection, number: int, x: float, y: float = 0) -> None:
    """Insert the recording of that number, at a point of the plane."""
    conn.execute(
        "INSERT INTO pgsim.recording (mbid, title, vector) VALUES (%s, %s, %s::public.vector)",
        (mbid(number), f"number {number}", f"[{x},{y}]"),
    )


def numbers(conn: Connection, seed: int, k: int = 10, words: str = "") -> list[int]:
    """The numbers that similar_recordings() answers; `words` are further arguments in SQL."""
    rows = conn.execute(
        f"SELECT mbid FROM similar_recordings(%s, %s{words})".encode(), (mbid(seed), k)
    )
    return [each.int for (each,) in rows]
