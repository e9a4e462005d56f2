"""Files that are no matrix: what an import says of them."""

from pathlib import Path
from typing import Any

import pytest

from pgsim.errors import UsageError
from pgsim.postgres.connection import Connection
from pgsim.transfer.import_matrix import import_matrix
from pgsim.transfer.pairs import PairsError
from tests.support.line import HEADER, change, fill
from tests.support.plane import mbid

pytestmark = pytest.mark.usefixtures("small_chunks")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"mbid": [mbid(1).bytes]}, "its mbid is binary, not text"),
        ({"mbid": [None]}, "its mbid is null, not text"),
        ({"similar_mbid": [7]}, "its similar_mbid is int64, not text"),
        ({"rank": ["1"]}, "its rank is string, not an integer"),
        ({"rank": [1.0]}, "its rank is double, not an integer"),
        ({"rank": [1 << 32]}, "Integer value 4294967296 not in range"),
        ({"rank": [None, 1], "mbid": 2 * [str(mbid(1))]}, "a rank or a distance is null"),
        ({"distance": [1]}, "its distance is int64, not a float"),
    ],
)
def test_parquet_of_other_kinds_is_refused(
    other: Connection, tmp_path: Path, columns: dict[str, list[Any]], message: str
) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="needs pgsim[parquet]")
    from pyarrow.parquet import write_table

    count = max(map(len, columns.values()))
    rows = {"mbid": [str(mbid(1))], "rank": [1], "similar_mbid": [str(mbid(2))], "distance": [1.0]}
    whole = {name: columns.get(name, value * count) for name, value in rows.items()}
    write_table(pyarrow.table(whole), tmp_path / "m.parquet")
    with pytest.raises(PairsError) as caught:
        import_matrix(other, tmp_path / "m.parquet")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda rows: rows[:1] + rows[80:] + rows[1:2], "rows of a recording are apart; sort them"),
        (lambda rows: [{**rows[0], "rank": "0"}, *rows[1:]], f"{mbid(1)} has a rank below 1"),
        (lambda rows: [{**rows[0], "rank": "2"}, *rows[1:]], "has two neighbours of one rank"),
        (lambda rows: [{**rows[0], "distance": "9"}, *rows[1:]], "has distances that fall"),
        (
            lambda rows: [{**rows[0], "distance": "nan"}, *rows[1:]],
            "has a distance that is no number from 0",
        ),
        (lambda rows: [{**rows[0], "distance": "x"}, *rows[1:]], "line 2: distance is 'x'"),
        (lambda rows: [{**rows[0], "mbid": "x"}, *rows[1:]], "line 2: mbid is 'x'"),
        (lambda rows: [{**rows[0], "rank": "1,1"}, *rows[1:]], "line 2: 5 values for 4 columns"),
        (
            lambda rows: [{**rows[0], "similar_mbid": rows[0]["mbid"]}, *rows[1:]],
            "has itself for a neighbour",
        ),
        (
            lambda rows: [{**rows[0], "similar_mbid": rows[1]["similar_mbid"]}, *rows[1:]],
            "has a neighbour twice",
        ),
        (lambda rows: [r for r in rows if int(r["rank"]) < 9], "at most 8 neighbours; a reach"),
        (lambda rows: [], "at most 0 neighbours; a reach needs 50"),
    ],
)
def test_what_is_no_matrix_is_refused(
    other: Connection, exported: Path, function: Any, message: str
) -> None:
    fill(other)
    change(exported, function)
    with pytest.raises(PairsError) as caught:
        import_matrix(other, exported)
    assert message in str(caught.value)
    assert str(exported) in str(caught.value)


def test_files_that_are_none_of_ours_are_named(other: Connection, tmp_path: Path) -> None:
    with pytest.raises(PairsError, match=r"cannot read .*m.csv: no such file or folder"):
        import_matrix(other, tmp_path / "m.csv")
    (tmp_path / "m.csv").write_text("a,b\n1,2\n")
    with pytest.raises(PairsError, match=r"is no exported matrix: it begins with mbid,rank,sim"):
        import_matrix(other, tmp_path / "m.csv")
    (tmp_path / "m.csv").write_bytes(HEADER.encode() + b"\xff\xfe\n")
    with pytest.raises(PairsError, match=r"cannot read .*m.csv: 'utf-8' codec"):
        import_matrix(other, tmp_path / "m.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(PairsError, match=r"cannot read .*folder.csv: it is a folder"):
        import_matrix(other, tmp_path / "folder.csv")
    (tmp_path / "m.h5").touch()
    with pytest.raises(UsageError, match=r"its name has to end in .csv or .parquet"):
        import_matrix(other, tmp_path / "m.h5")
    pytest.importorskip("pyarrow", reason="needs pgsim[parquet]")
    (tmp_path / "m.parquet").mkdir()
    with pytest.raises(PairsError, match=r"is no exported matrix: it has no similarity/"):
        import_matrix(other, tmp_path / "m.parquet")
    (tmp_path / "m.parquet" / "similarity").mkdir()
    (tmp_path / "m.parquet" / "similarity" / "part-00000.parquet").write_text("no Parquet")
    with pytest.raises(PairsError, match=r"cannot read .*part-00000.parquet: "):
        import_matrix(other, tmp_path / "m.parquet")
