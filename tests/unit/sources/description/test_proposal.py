"""What `describe` proposes for tables: columns, features, units and what it says of them."""

import math
import time
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgsim.errors import PgsimError, Rejected
from pgsim.features.fusion import Moments, fuse
from pgsim.features.profile import Profile, read_profile
from pgsim.sources.description.proposal import propose_profile
from pgsim.sources.submission import Submission
from pgsim.sources.tables import members, submission

ROWS = 24


def numbers(seed: int) -> list[str]:
    """Features of as many recordings."""
    return [f"{value:.3f}" for value in np.random.default_rng(seed).random(ROWS)]


def uuids(seed: int, different: int = ROWS) -> list[str]:
    words = np.random.default_rng(seed).integers(0, 2**32, (different, 4)).astype(">u4")
    made = [str(UUID(bytes=row.tobytes(), version=4)) for row in words]
    return [made[at % different] for at in range(ROWS)]


def texts(form: str) -> list[str]:
    return [form.format(at) for at in range(ROWS)]


ENERGY = {"energy": numbers(1), "valence": numbers(2)}


@pytest.fixture
def table(tmp_path: Path) -> Callable[..., Path]:
    """A CSV of these columns and, by default, of two features."""

    def make(columns: dict[str, Sequence[Any]], features: dict[str, Any] = ENERGY) -> Path:
        columns = {**columns, **features}
        lines = [columns, *zip(*columns.values(), strict=True)]
        path = tmp_path / "songs.csv"
        quoted = (
            ",".join('"' + str(cell).replace('"', '""') + '"' for cell in line) for line in lines
        )
        path.write_text("\n".join(quoted) + "\n", encoding="utf-8")
        return path

    return make


def proposed(path: Path) -> Profile:
    """The profile that is proposed for a table: it is the same each time, and `init` reads it."""
    text = propose_profile(path)
    assert propose_profile(path) == text
    (path.parent / "proposed.toml").write_text(text, encoding="utf-8")
    return read_profile(str(path.parent / "proposed.toml"))


def columns(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads(propose_profile(path))["columns"]
    return found


def features(path: Path) -> list[str]:
    """The columns that are features."""
    return [name for each in proposed(path).sets for name in each.paths]


def loaded(path: Path) -> list[Submission]:
    """The submissions of all rows, by the proposed profile."""
    profile = proposed(path)
    return [submission(member, profile) for member in members(path)]


Table = Callable[..., Path]


@pytest.mark.parametrize("name", ["spectral_centroid", "mid", "acid", "solid", "void", "liquid"])
def test_a_name_that_ends_in_id_is_no_id_by_that(table: Table, name: str) -> None:
    path = table({"track_id": texts("t{}"), name: numbers(3)})
    assert set(features(path)) == {name, *ENERGY}


@pytest.mark.parametrize(
    "name", ["artist_id", "albumId", "artistid", "release group id", "genre_ids", "userid"]
)
def test_ids_of_something_else_are_no_features_and_said_so(table: Table, name: str) -> None:
    path = table({"track_id": texts("t{}"), name: range(500, 500 + ROWS)})
    assert set(features(path)) == {*ENERGY}
    assert f'# No feature: "{name}": an id of something else.' in propose_profile(path)


@pytest.mark.parametrize(
    ("name", "first"),
    [("Unnamed: 0", 0), ("index", 500), ("level_0", 3), ("__index_level_0__", 7), ("rownum", 1)],
)
def test_a_counter_of_rows_is_no_feature(table: Table, name: str, first: int) -> None:
    path = table({name: range(first, first + ROWS), "track_id": texts("t{}")})
    assert columns(path) == {"id": "track_id"}
    assert set(features(path)) == {*ENERGY}
    assert f'"{name}": its name is that of a counter of rows' in propose_profile(path)


def test_a_first_column_that_counts_is_no_feature_whatever_its_name(table: Table) -> None:
    path = table({"key_": range(1, ROWS + 1), "filename": texts("{}.wav")})
    assert columns(path) == {"id": "filename"}
    assert set(features(path)) == {*ENERGY}


def test_consecutive_numbers_are_features_by_their_name(table: Table) -> None:
    path = table({"track_id": texts("t{}")}, {"tempo": range(90, 90 + ROWS), **ENERGY})
    assert "tempo" in features(path)


@pytest.mark.parametrize(
    ("others", "mbid"),
    [
        ({"artist_mbids": uuids(1), "release_mbid": uuids(2), "recording_mbid": uuids(3)}, None),
        ({"album_id": uuids(1, 3), "mb_trackid": uuids(3)}, "mb_trackid"),
        ({"musicbrainz_artistid": uuids(1), "mbid": uuids(3)}, "mbid"),
        ({"uuid": uuids(1, 4), "gid": uuids(3)}, "gid"),
        ({"mb_releasetrackid": uuids(1), "musicbrainz_trackid": uuids(3)}, "musicbrainz_trackid"),
    ],
)
def test_the_mbid_is_the_recordings_and_unique_before_repeated(
    table: Table, others: dict[str, Any], mbid: str | None
) -> None:
    path = table(others)
    assert columns(path)["mbid"] == (mbid or "recording_mbid")
    assert str(loaded(path)[5].mbid) == uuids(3)[5]


def test_artists_mbids_alone_are_no_recordings(table: Table) -> None:
    path = table({"artist_mbid": uuids(1, 4), "title": texts("Tune {}")})
    assert columns(path) == {"id": "title", "title": "title", "artist_mbid": "artist_mbid"}
    assert [each.metadata["artist_mbids"][0] for each in loaded(path)] == uuids(1, 4)


def test_an_mbid_may_stand_in_a_url_without_hyphens_or_only_in_some_rows(table: Table) -> None:
    forms = [
        f"https://musicbrainz.org/recording/{mbid}" if at % 3 else mbid.replace("-", "").upper()
        for at, mbid in enumerate(uuids(3))
    ]
    forms[4] = ""
    path = table({"recording": forms, "track_id": texts("t{}")})
    found = loaded(path)
    assert columns(path) == {"mbid": "recording", "id": "track_id"}
    assert [str(each.mbid) for each in found[:4]] == uuids(3)[:4]
    assert found[4].metadata["source_id"] == "t4"


@pytest.mark.parametrize(
    ("name", "cells", "unit", "low"),
    [
        ("duration_ms", [200_000 + at for at in range(ROWS)], "milliseconds", 200),
        ("duration", [200_000 + at for at in range(ROWS)], "milliseconds", 200),
        ("trackLengthMs", [200_000 + at for at in range(ROWS)], "milliseconds", 200),
        ("length", [200 + at for at in range(ROWS)], None, 200),
        ("duration_seconds", [12_000 + at for at in range(ROWS)], None, 12000),
        ("length", [f"{200 + at}.5" for at in range(ROWS)], None, 200),
        ("duration_min", [3.333 + at / 60 for at in range(ROWS)], "minutes", 200),
        ("duration", [200_000_000 + at for at in range(ROWS)], "microseconds", 200),
        ("length", [66_149] * ROWS, "22050 Hz", 3),
        ("length", [1_323_000 + at for at in range(ROWS)], "44100 Hz", 30),
        ("length", [29_976 + at for at in range(ROWS)], "milliseconds", 29.976),
    ],
)
def test_a_length_is_stored_in_seconds(
    table: Table, name: str, cells: list[Any], unit: str | None, low: float
) -> None:
    path = table({"track_id": texts("t{}"), name: cells})
    assert columns(path)["length"] == name
    assert columns(path).get("length_unit") == unit
    seconds = [each.metadata["length"] for each in loaded(path)]
    assert all(low - 0.1 <= each <= low + 30 for each in seconds)


def test_samples_become_seconds_by_the_sample_rate_beside_them(table: Table) -> None:
    path = table({"track_id": texts("t{}"), "frames": [4_410_000] * ROWS, "sr": [22050] * ROWS})
    assert columns(path)["length_unit"] == "22050 Hz"
    assert {each.metadata["length"] for each in loaded(path)} == {200.0}
    path = table({"track_id": texts("t{}"), "n_samples": [4_410_000] * ROWS})
    assert "write their rate as length_unit" in propose_profile(path)


@pytest.mark.parametrize(
    "form", ["3:{:02}", "0:03:{:02}", "PT3M{}S", "3m{}s", "0 days 00:03:{:02}"]
)
def test_minutes_and_seconds_are_a_length(table: Table, form: str) -> None:
    path = table({"track_id": texts("t{}"), "length": texts(form)})
    assert [each.metadata["length"] for each in loaded(path)] == [180 + at for at in range(ROWS)]


def test_rows_without_length_and_lengths_that_cannot_be_meant_are_said(table: Table) -> None:
    path = table({"track_id": texts("t{}"), "length": ["?", "", *texts("3:{:02}")[2:]]})
    assert "2 of 24 rows have no length" in propose_profile(path)
    path = table({"track_id": texts("t{}"), "length_s": [200_000 + at for at in range(ROWS)]})
    assert "is that their unit?" in propose_profile(path)


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("year", "1987"),
        ("year", "1987.0"),
        ("release_date", "1987-05-04"),
        ("track.album.release_date", "May 1987"),
        ("date", "19870504"),
        ("Released Year", "1987"),
    ],
)
def test_a_year_is_read_from_a_date_of_any_form(table: Table, name: str, cell: str) -> None:
    path = table({"track_id": texts("t{}"), name: [cell] * ROWS})
    assert {each.metadata["year"] for each in loaded(path)} == {1987}
    assert set(features(path)) == {*ENERGY}


@pytest.mark.parametrize("mark", ["\\N", "<NA>", "#N/A", "?", "-", "unk"])
def test_a_mark_of_nothing_leaves_a_column_one_of_numbers(table: Table, mark: str) -> None:
    cells = [mark if at in (0, 7) else str(90 + at) for at in range(ROWS)]
    path = table({"track_id": texts("t{}"), "tempo": cells})
    assert "tempo" in features(path)
    missing = [bool(np.isnan(each.features[0])) for each in loaded(path)]
    assert [at for at, is_missing in enumerate(missing) if is_missing] == [0, 7]
    assert "2 of 24 rows lack it" in propose_profile(path)


@pytest.mark.parametrize("mark", ["\\N", "<NA>", "#N/A", "nan", "None", "Unknown Artist", "-"])
def test_a_mark_of_nothing_that_is_repeated_is_no_artist(table: Table, mark: str) -> None:
    cells = [mark if at in (0, 7) else f"A{at}" for at in range(ROWS)]
    found = loaded(table({"track_id": texts("t{}"), "artist": cells}))
    assert [at for at, each in enumerate(found) if "artist" not in each.metadata] == [0, 7]


def test_a_text_among_numbers_is_named_with_its_column(table: Table) -> None:
    cells = ["fast", *(str(at) for at in range(1, ROWS))]
    path = table({"track_id": texts("t{}"), "tempo": cells})
    assert "'tempo': numbers, but for 1 of 24 cells, such as 'fast'" in propose_profile(path)


@pytest.mark.parametrize(
    "form",
    ["['Band {0}', 'Guest']", '["Band {0}", "Guest"]', "['Band {0}' 'Guest']", "Band {0}; Guest"],
)
def test_several_artists_of_a_cell_are_one_credit_without_brackets(table: Table, form: str) -> None:
    cells = [form.replace("{0}", str(at)) for at in range(ROWS)]
    found = loaded(table({"track_id": texts("t{}"), "artists": cells}))
    assert [each.metadata["artist"] for each in found] == texts("Band {}, Guest")


@pytest.mark.parametrize("between", [", ", "|", " / ", ";", "\\"])
def test_several_labels_of_a_cell_are_apart_where_they_stand_alone_too(
    table: Table, between: str
) -> None:
    cells = [
        ("Rock", f"Rock{between}Pop", "Pop", f"Folk{between}Rock")[at % 4] for at in range(ROWS)
    ]
    found = loaded(table({"track_id": texts("t{}"), "genre": cells}))
    labels = [each.metadata["labels"]["tag"] for each in found[:4]]
    assert labels == [["rock"], ["rock", "pop"], ["pop"], ["folk", "rock"]]


def test_a_sign_inside_one_label_does_not_separate_it(table: Table) -> None:
    cells = [
        ("R&B / Soul", "Rock", "Singer/Songwriter", "Folk, World, & Country")[at % 4]
        for at in range(ROWS)
    ]
    found = loaded(table({"track_id": texts("t{}"), "genre": cells}))
    labels = [each.metadata["labels"]["tag"] for each in found[:4]]
    assert labels == [["r&b / soul"], ["rock"], ["singer/songwriter"], ["folk, world, & country"]]


def test_without_ids_title_and_artist_together_are_the_id(table: Table, tmp_path: Path) -> None:
    path = table({"track_name": texts("Tune {}"), "artist_name": texts("Artist {}")})
    assert columns(path)["id"] == ["track_name", "artist_name"]
    found = loaded(path)
    assert len({each.mbid for each in found}) == ROWS
    profile = read_profile(str(tmp_path / "proposed.toml"))
    path = table({"track_name": ["Tune 3"] * ROWS, "artist_name": texts("Somebody Else {}")})
    others = [submission(member, profile) for member in members(path)]
    assert not {each.mbid for each in found} & {each.mbid for each in others}
    assert found[3].metadata == {
        "source_id": "Tune 3 | Artist 3",
        "title": "Tune 3",
        "artist": "Artist 3",
    }


def test_texts_of_an_id_of_several_columns_stay_apart(table: Table) -> None:
    path = table(
        {"title": ["a | b", "a", *texts("t{}")[2:]], "artist": ["c", "b | c", *["x"] * 22]}
    )
    first, second = loaded(path)[:2]
    assert first.mbid != second.mbid


def test_a_row_number_is_the_last_choice_of_an_id_and_said(table: Table) -> None:
    path = table({})
    assert columns(path) == {"id": "row"}
    assert "'row' counts the rows, and is the only id" in propose_profile(path)
    path = table({"index": range(ROWS)})
    assert columns(path) == {"id": "index"}
    assert "'index' counts the rows, and is the only id" in propose_profile(path)


def test_rows_of_one_id_with_other_genres_become_one_recording(table: Table) -> None:
    same = {name: [cells[at // 3] for at in range(ROWS)] for name, cells in ENERGY.items()}
    ids = [f"t{at // 3}" for at in range(ROWS)]
    path = table({"track_id": ids, "genre": ["acoustic", "folk", "pop"] * 8}, same)
    assert columns(path) == {"id": "track_id", "genre": "genre"}
    assert "24 rows have 8 ids" in propose_profile(path)


def test_rows_of_one_id_with_other_features_are_submissions(table: Table) -> None:
    ids = [f"t{at // 3}" for at in range(ROWS)]
    path = table({"track_id": ids})
    assert columns(path) == {"id": "track_id", "number": "row"}
    path = table({"recording_mbid": uuids(1, 8), "submission": [at // 8 for at in range(ROWS)]})
    assert columns(path) == {"mbid": "recording_mbid", "number": "submission"}
    assert [each.number for each in loaded(path)] == [at // 8 for at in range(ROWS)]


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
        ("popularity", numbers(5), "it does not say how a recording sounds"),
        ("track.listens", range(7, 7 + ROWS), "it does not say how a recording sounds"),
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


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_init_takes_whatever_is_proposed(tmp_path_factory: Any, data: Any) -> None:
    names = data.draw(st.lists(st.text(max_size=8), min_size=1, max_size=6, unique=True))
    count = data.draw(st.integers(1, 5))
    cells = {name: data.draw(st.lists(CELLS, min_size=count, max_size=count)) for name in names}
    path = tmp_path_factory.mktemp("any") / "any.npz"
    np.savez(path, **{f"c{at}": np.array(cells[name]) for at, name in enumerate(names)})
    parquet = pytest.importorskip("pyarrow.parquet")
    pyarrow = pytest.importorskip("pyarrow")
    path = path.with_suffix(".parquet")
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


@pytest.mark.parametrize(
    ("title", "artist", "length", "year"),
    [("Titel", "Künstler", "Länge", "Jahr"), ("titre", "interprète", "durée", "Année")],
)
def test_names_in_other_languages_are_known(
    table: Table, title: str, artist: str, length: str, year: str
) -> None:
    cells = {title: texts("Stück {}"), artist: ["A"] * ROWS, length: ["3:20"] * ROWS}
    path = table({**cells, year: range(1980, 1980 + ROWS)})
    assert set(features(path)) == {*ENERGY}
    first = loaded(path)[0].metadata
    wanted = {"title": "Stück 0", "artist": "A", "length": 200, "year": 1980}
    assert {key: first[key] for key in wanted} == wanted


def test_a_list_is_no_id(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    cells = {"track": texts("T {}"), "two": [[[1.0, at]] for at in range(ROWS)]}
    path = tmp_path / "t.parquet"
    table = pyarrow.table({**cells, "energy": [float(each) for each in numbers(1)]})
    pytest.importorskip("pyarrow.parquet").write_table(table, path)
    assert columns(path)["id"] == "track"


def test_four_times_the_columns_take_four_times_as_long(tmp_path: Path) -> None:
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
    assert seconds(20_000) < 8 * seconds(5000)
