"""Rows that are packed by columns, as PostgreSQL reads them."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from psycopg.errors import CheckViolation

from pgsim.postgres.connection import Connection, connect
from pgsim.postgres.packing import packed_rows
from pgsim.postgres.wire import COPY_HEADER, COPY_TRAILER

A, B = UUID(int=1), UUID(int=2**128 - 1)
KINDS = {
    "a": "uuid",
    "b": "text",
    "c": "uuid[]",
    "d": "int2",
    "e": "float4",
    "f": "text[]",
    "g": "jsonb",
    "h": "int4",
    "i": "vector",
}
COLUMNS: dict[str, Any] = {
    "a": [A.bytes, B.bytes, A.bytes],
    "b": ["Farkaskönny 🎵", None, ""],
    "c": [[A, B], None, []],
    "d": [1999, None, -1],
    "e": [0.1, None, 1e300],
    "f": [["tag:rock", "é"], [], ["tag:rock", "é"]],
    "g": [{"licence": "CC", "n": [1, 2.5, None]}, {}, {"a\"'": "ü"}],
    "h": [0, 2**31 - 1, 7],
    "i": np.array([[1, -2.5], [0, np.nan], [3e38, 1e-45]], np.float32),
}


@pytest.fixture
def conn(new_database: Callable[..., str]) -> Iterator[Connection]:
    with connect(new_database(), autocommit=True) as conn:
        kinds = {**KINDS, "i": "public.vector"}
        columns = ", ".join(f"{name} {kind}" for name, kind in kinds.items())
        conn.execute(f"CREATE TEMP TABLE packed ({columns}, CHECK (d < 9999))".encode())
        yield conn


def copy(conn: Connection, columns: dict[str, Any]) -> None:
    with conn.cursor().copy("COPY pg_temp.packed FROM STDIN (FORMAT binary)") as copied:
        copied.write(COPY_HEADER + packed_rows(KINDS, columns) + COPY_TRAILER)


def test_postgresql_reads_what_was_packed(conn: Connection) -> None:
    copy(conn, COLUMNS)
    rows = conn.execute("SELECT a, b, c, d, e, f, g, h FROM pg_temp.packed").fetchall()
    single = [float(np.float32(0.1)), None, float("inf")]
    expected = {**COLUMNS, "a": [A, B, A], "e": single}
    found = dict(zip("abcdefgh", map(list, zip(*rows, strict=True)), strict=True))
    found["e"] = [None if each is None else float(np.float32(each)) for each in found["e"]]
    assert found == {name: expected[name] for name in found}
    vectors = [text for (text,) in conn.execute("SELECT i::text FROM pg_temp.packed")]
    assert vectors == ["[1,-2.5]", None, "[3e+38,1e-45]"]


def test_a_number_that_is_too_large_for_its_column_does_not_become_another(
    conn: Connection,
) -> None:
    # 66999 is 1463 in 16 bits.
    with pytest.raises(CheckViolation):
        copy(conn, {**COLUMNS, "d": [66999, 1, 2]})


def test_no_rows_are_packed_as_none(conn: Connection) -> None:
    copy(conn, {name: [] for name in KINDS} | {"i": np.empty((0, 2), np.float32)})
    assert conn.execute("SELECT count(*) FROM pg_temp.packed").fetchall() == [(0,)]
