"""The feature sets that `describe` proposes, their weights, and what it says of them."""

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgsim.errors import PgsimError, Rejected
from pgsim.features.fusion import Moments, fuse
from pgsim.sources.description.proposal import propose_profile
from pgsim.sources.tables import members, submission
from tests.support.described import (
    ENERGY,
    ROWS,
    Table,
    columns,
    features,
    loaded,
    numbers,
    proposed,
    texts,
)


@pytest.mark.parametrize(
    "form",
    [
        "[{0}.5, 2, 3, {0}]",
        "[{0}.5 2. 3. {0}]",
        "{0}.5 2 3 {0}",
        "{0}.5;2;3;{0}",
        "({0}.5|2|3|{0})",
    ],
)
def test_an_embedding_in_a_cell_is_its_numbers(table: Table, form: str) -> None:
    path = table(
        {
            "track_id": texts("t{}"),
            "embedding": [form.replace("{0}", str(at)) for at in range(ROWS)],
        },
        {},
    )
    assert [(each.name, each.length) for each in proposed(path).sets] == [("embedding", 4)]
    assert loaded(path)[3].features.tolist() == [3.5, 2, 3, 3]


def test_what_is_wrong_with_numbers_in_cells_is_said_with_the_cure(table: Table) -> None:
    cut = table({"track_id": texts("t{}"), "mfcc": texts("[{}. 2. ... 9.]")}, {})
    with pytest.raises(PgsimError, match=r"'mfcc': the numbers of a list are cut short by '...'"):
        propose_profile(cut)
    comma = table({"track_id": texts("t{}"), "tempo": texts("9{},5")}, {})
    with pytest.raises(PgsimError, match="'tempo': numbers with a decimal comma"):
        propose_profile(comma)
    ragged = table({"track_id": texts("t{}"), "mfcc": ["[1,2]", "[1,2,3]"] * 12})
    assert "'mfcc': its cells have different numbers of values: 2, 3" in propose_profile(ragged)


@pytest.mark.parametrize(
    "names",
    [
        ["mfcc1", "mfcc2", "mfcc10"],
        ["1-MFCCs", "2-MFCCs", "10-MFCCs"],
        ["mfcc.mean.01", "mfcc.mean.02", "mfcc.mean.03"],
        ["a1m", "a2m", "a3m"],
    ],
)
def test_columns_that_differ_in_a_number_are_one_set(table: Table, names: list[str]) -> None:
    path = table({"track_id": texts("t{}")}, {name: numbers(at) for at, name in enumerate(names)})
    [only] = proposed(path).sets
    assert only.length == 3


def test_weights_are_shares_by_dimensions(table: Table) -> None:
    group = {f"mfcc{at}": numbers(at) for at in range(6)}
    path = table({"track_id": texts("t{}")}, {**group, **ENERGY})
    weights = {each.name: each.weight for each in proposed(path).sets}
    assert weights == pytest.approx({"mfcc": 0.75, "others": 0.25})


def test_distances_are_those_of_plain_z_scores_side_by_side(table: Table) -> None:
    tempo = ["" if at == 3 else str(90 + at) for at in range(ROWS)]
    group = {f"mfcc{at}": numbers(at) for at in range(7)}
    path = table({"track_id": texts("t{}")}, {**group, **ENERGY, "tempo": tempo})
    profile, rows = proposed(path), loaded(path)
    values = np.array([each.features for each in rows], np.float64)
    moments = Moments(profile)
    moments.add(values)
    vectors = fuse(values, profile, moments.fit())
    whole = np.delete(values, 3, axis=0)
    z = (whole - np.nanmean(values, axis=0)) / np.nanstd(values, axis=0)
    expected = np.linalg.norm(z[:, None] - z, axis=2)
    found = np.linalg.norm(
        np.delete(vectors, 3, axis=0)[:, None] - np.delete(vectors, 3, axis=0), axis=2
    )
    np.testing.assert_allclose(
        found * np.sqrt(2 * profile.dimensions), expected, rtol=1e-3, atol=1e-3
    )


def test_many_groups_become_fewer_by_the_beginning_of_their_names(table: Table) -> None:
    made = {
        f"{kind}.{statistic}.{at:02}": numbers(at)
        for kind in ("chroma", "mfcc", "tonnetz")
        for statistic in ("mean", "std", "skew", "max", "min")
        for at in (1, 2)
    }
    found = proposed(table({"track_id": texts("t{}")}, made))
    assert [(each.name, each.length) for each in found.sets] == [
        ("chroma", 10),
        ("mfcc", 10),
        ("tonnetz", 10),
    ]


@pytest.mark.parametrize(
    ("name", "cells", "reason"),
    [
        ("rank", numbers(5), "it does not say how a recording sounds"),
        ("track.interest", range(7, 7 + ROWS), "it does not say how a recording sounds"),
        ("key", [at % 12 for at in range(ROWS)], "a name written as a number"),
        ("released_year_2", [1990 + at for at in range(ROWS)], "a date"),
        ("label", [at % 10 for at in range(ROWS)], "a class"),
        ("speechiness", [0.5] * ROWS, "the same number in every row"),
    ],
)
def test_numbers_that_are_no_sound_are_left_out_with_the_reason(
    table: Table, name: str, cells: Sequence[Any], reason: str
) -> None:
    path = table({"track_id": texts("t{}"), name: cells})
    assert set(features(path)) == {*ENERGY}
    assert f'# No feature: "{name}": {reason}' in propose_profile(path)


def test_a_number_written_for_nothing_is_pointed_at(table: Table) -> None:
    cells = [-999 if at % 5 == 0 else at for at in range(ROWS)]
    path = table({"track_id": texts("t{}"), "tempo": cells})
    assert '-999 stands 5 times; if it says nothing: nothing = ["-999"]' in propose_profile(path)


def test_infinite_numbers_are_pointed_at(table: Table) -> None:
    path = table({"track_id": texts("t{}"), "loudness": ["-inf", *numbers(5)[1:]]})
    assert "'loudness': 1 of 24 cells are infinite" in propose_profile(path)


def test_singles_that_other_rows_lack_are_sets_of_their_own(table: Table) -> None:
    tempo = ["" if at == 3 else str(90 + at) for at in range(ROWS)]
    path = table({"track_id": texts("t{}"), "tempo": tempo})
    found = loaded(path)[3]
    assert np.isnan(found.features).tolist() == [True, False, False]


CELLS = st.one_of(
    st.text(max_size=6), st.integers(-5, 3000).map(str), st.floats(0, 1, width=16).map(str)
)


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_init_takes_whatever_is_proposed(tmp_path_factory: Any, data: Any) -> None:
    names = data.draw(st.lists(st.text(max_size=8), min_size=1, max_size=6, unique=True))
    count = data.draw(st.integers(1, 5))
    cells = {name: data.draw(st.lists(CELLS, min_size=count, max_size=count)) for name in names}
    path = tmp_path_factory.mktemp("any") / "any.parquet"
    parquet = pytest.importorskip("pyarrow.parquet")
    pyarrow = pytest.importorskip("pyarrow")
    parquet.write_table(pyarrow.table(cells), path)
    try:
        profile = proposed(path)
    except PgsimError:
        return
    for member in members(path):
        try:
            found = submission(member, profile)
        except Rejected:
            continue
        assert len(found.features) == profile.dimensions


CLIPS = {
    "clip_id": np.arange(100, 104),
    "rp": np.random.default_rng(1).random((4, 1440)),
    "ssd": np.random.default_rng(2).random((4, 168)),
}


def test_what_is_proposed_for_a_table_reads_that_table(tmp_path: Path) -> None:
    lines = ["Track ID,Title,Artist Name,Year,label_id,t1,t2,t10,tempo,p_a1,p_a2,note"]
    lines += [f"x{i},T{i},A,199{i},3,{i}.5,2,{i},{90 + i},0.{i},0.{10 - i},n" for i in range(1, 8)]
    path = tmp_path / "My songs.csv"
    path.write_text("\n".join(lines))
    found = proposed(path)
    assert found.name == "my_songs"
    assert dict(found.columns) == {
        **{"id": "Track ID", "title": "Title", "artist": "Artist Name", "year": "Year"}
    }
    assert [(s.name, s.paths, s.length, s.form, s.transform) for s in found.sets] == [
        ("t", ("t1", "t2", "t10"), 3, "numbers", "zscore"),
        ("p_a", ("p_a*",), 2, "probabilities", "hellinger"),
        ("tempo", ("tempo",), 1, "numbers", "zscore"),
    ]
    assert '# No feature: "label_id": an id' in propose_profile(path)
    assert '# Not used: "note"' in propose_profile(path)
    assert not any(np.isnan(each.features).any() for each in loaded(path))


def test_what_is_proposed_for_the_tutorials_archive_has_its_1608_dimensions(tmp_path: Path) -> None:
    np.savez(tmp_path / "features.npz", **CLIPS)
    found = proposed(tmp_path / "features.npz")
    assert (dict(found.columns), found.dimensions) == ({"id": "clip_id"}, 1608)
    assert [(each.name, each.length) for each in found.sets] == [("rp", 1440), ("ssd", 168)]
    expected = np.concatenate([CLIPS["rp"][1], CLIPS["ssd"][1]])
    np.testing.assert_allclose(loaded(tmp_path / "features.npz")[1].features, expected, rtol=1e-6)


def test_a_set_beyond_what_an_index_takes_is_left_out_and_said_so(tmp_path: Path) -> None:
    values = np.random.default_rng(1).random((2, 4001))
    np.savez(tmp_path / "wide.npz", a=values[:, :3900], b=values[:, :200])
    assert "Left out: an indexed vector has at most 4000 dim" in propose_profile(
        tmp_path / "wide.npz"
    )
    assert proposed(tmp_path / "wide.npz").dimensions == 3900
    np.savez(tmp_path / "wider.npz", a=values)
    with pytest.raises(PgsimError, match="reduce them first"):
        propose_profile(tmp_path / "wider.npz")


def test_a_table_of_thousands_of_columns_has_weights_that_a_profile_takes(tmp_path: Path) -> None:
    values = np.random.default_rng(1).random((3, 3000))
    np.savez(tmp_path / "wide.npz", wide=values, one=values[:, 0])
    weights = {each.name: each.weight for each in proposed(tmp_path / "wide.npz").sets}
    assert math.isclose(sum(weights.values()), 1)
    assert weights["one"] >= 0.001


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("s.txt", "a\n1\n", r"not a file named \.csv, \.tsv"),
        ("s.csv", "a\nx\n", "no column of .* has numbers"),
        ("s.csv", "a\n", "no row of .* can be read: no document in it"),
        ("s.csv", "id,a\nx,1\ny,1\n", "'a': the same number in every row"),
    ],
)
def test_what_is_no_table_of_features_is_not_described(
    tmp_path: Path, name: str, text: str, reason: str
) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(PgsimError, match=reason):
        propose_profile(path)


@pytest.mark.parametrize("name", ["upload_date", "Date Added", "num_reviews", "pct_skip", "hit"])
def test_dates_and_what_listeners_did_are_no_features(table: Table, name: str) -> None:
    path = table({"track_id": texts("t{}"), name: range(20190101, 20190101 + ROWS)})
    assert set(features(path)) == {*ENERGY}
    assert columns(path) == {"id": "track_id"}
    assert f'# No feature: "{name}": ' in propose_profile(path)


@pytest.mark.parametrize("name", ["genre_rock", "label.jazz", "tag: slow", "classPop"])
def test_a_label_in_a_column_of_its_own_is_no_feature_and_said_so(table: Table, name: str) -> None:
    path = table({"track_id": texts("t{}"), name: [at % 2 for at in range(ROWS)]})
    assert set(features(path)) == {*ENERGY}
    assert f'"{name}": whether it has a label, which is no sound' in propose_profile(path)


@pytest.mark.slow
@pytest.mark.parametrize(("few", "many"), [(5000, 20_000), (25_000, 100_000)])
def test_four_times_the_columns_take_four_times_as_long(
    tmp_path: Path, few: int, many: int
) -> None:
    def seconds(columns: int) -> float:
        path = tmp_path / f"{columns}.csv"
        header = "id," + ",".join(f"note {number} of many" for number in range(columns))
        rows = [f"r{row}," + ",".join([f"0.{row + 1}"] * columns) for row in range(3)]
        path.write_text("\n".join([header, *rows]), encoding="utf-8")
        start = time.process_time()
        with pytest.raises(PgsimError, match="reduce them first"):
            propose_profile(path)
        return time.process_time() - start

    seconds(4500)
    assert seconds(many) < 8 * seconds(few)
