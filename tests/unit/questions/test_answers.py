"""Answers as Python sees them: sequences that print well and become data frames."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from pgsim.questions.answers import Answer, BatchRecording, SimilarRecording

MBID = UUID("b5f6c0a0-5472-58d3-911d-9bc10dbc8b5e")
COLUMNS = ("rank", "mbid", "artist", "title", "album", "year", "genre", "distance", "similarity")


def row(rank: int, **changed: Any) -> SimilarRecording:
    given = {
        **{"mbid": MBID, "artist": "Björk", "title": "Jóga", "album": None, "year": 1997},
        **{"genre": "pop", "distance": 0.25, "similarity": 0.8},
    }
    return SimilarRecording(rank=rank, **{**given, **changed})


def answer(*rows: SimilarRecording) -> Answer[SimilarRecording]:
    return Answer(SimilarRecording, rows)


def test_an_answer_is_a_sequence_that_cannot_be_changed() -> None:
    both = answer(row(1), row(2))
    assert isinstance(both, Sequence)
    assert (len(both), both[1].rank, both[-1].rank) == (2, 2, 2)
    assert [each.rank for each in both] == [1, 2]
    assert both[:1] == answer(row(1))
    assert both != answer(row(2), row(1))
    assert hash(both) == hash(answer(row(1), row(2)))
    assert both.columns == answer().columns == COLUMNS
    assert not answer()
    with pytest.raises(AttributeError):
        both[0].rank = 5  # type: ignore[misc]
    with pytest.raises(TypeError):
        both[0] = row(3)  # type: ignore[index]


def test_it_prints_as_a_table_of_one_line_a_row() -> None:
    lines = repr(answer(row(1), row(2, title="two\nlines", year=None))).splitlines()
    assert lines[0].split() == list(COLUMNS)
    assert len(lines) == 4
    assert " two lines " in lines[3]
    assert lines[2].split()[-2:] == ["0.2500", "0.8000"]


def test_of_a_long_answer_the_first_rows_are_printed_and_the_others_counted() -> None:
    long = answer(*(row(i) for i in range(1, 1001)))
    assert repr(long).splitlines()[-1] == "… and 950 more rows"
    assert long._repr_html_().endswith("<p>… and 950 more rows</p>")
    assert long._repr_html_().count("<tr>") == 51


def test_in_a_notebook_it_is_a_table_in_which_no_title_is_markup() -> None:
    html = answer(row(1, title="<script>alert('&')</script>", year=None))._repr_html_()
    assert "<th>similarity</th>" in html
    assert "&lt;script&gt;alert(&#x27;&amp;&#x27;)&lt;/script&gt;" in html
    assert "<script" not in html
    assert '<td style="text-align: left"></td>' in html  # None
    assert '<td style="text-align: right">0.8000</td>' in html


def test_pandas_makes_a_frame_of_it() -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = pandas.DataFrame(answer(row(1), row(2, year=None, artist=None)))
    assert tuple(frame.columns) == COLUMNS
    assert frame["mbid"].tolist() == [MBID, MBID]
    assert frame["similarity"].dtype == float
    assert frame["year"].isna().tolist() == [False, True]
    empty = answer()
    assert tuple(pandas.DataFrame(empty, columns=empty.columns).columns) == COLUMNS
    assert len(pandas.DataFrame(empty)) == 0


def test_polars_makes_a_frame_of_it() -> None:
    polars = pytest.importorskip("polars", reason="polars is not installed")
    frame = polars.DataFrame(answer(row(1, year=None), row(2, artist=None)))
    assert tuple(frame.columns) == COLUMNS
    assert frame["mbid"].to_list() == [MBID, MBID]
    assert frame["year"].to_list() == [None, 1997]
    assert frame["similarity"].dtype == polars.Float64
    empty = answer()
    assert tuple(polars.DataFrame(empty, schema=empty.columns).columns) == COLUMNS
    assert len(polars.DataFrame(empty)) == 0


def test_a_batch_whose_first_seeds_have_problems_becomes_a_frame_too() -> None:
    polars = pytest.importorskip("polars", reason="polars is not installed")
    nothing: Any = dict.fromkeys(BatchRecording.__slots__)
    problem = BatchRecording(**{**nothing, "seed": MBID, "problem": "unknown"})
    good = BatchRecording(MBID, 1, MBID, "a", "t", None, 1999, None, 0.5, 0.5, None)
    batch = Answer(BatchRecording, [problem] * 200 + [good])
    frame = polars.DataFrame(batch, infer_schema_length=None)  # of UUIDs Polars knows no type
    assert frame["rank"].to_list()[-1] == 1
    assert frame["similarity"].to_list()[-1] == 0.5
