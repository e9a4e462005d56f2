"""The demo's recordings as they ship: real, complete, licensed, and worth fusing."""

import gzip
from importlib.resources import files
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5
from zipfile import ZipFile

import numpy as np
import orjson
import pytest
from numpy.typing import NDArray

from pgsim.demo.build import Recording, find_recordings, unpack_archive, why_left_out, write
from pgsim.demo.line import rounded, title
from pgsim.demo.packages import read_packages
from pgsim.demo.profile import both_profiles
from pgsim.errors import UsageError
from pgsim.evaluation.protocol import Protocol, bootstrap
from pgsim.features.fusion import Moments, aggregate, fuse
from pgsim.features.profile import read_profile
from pgsim.features.reading import extract

NAMESPACE = UUID("1b78cc26-629f-5227-a30c-370d600c905d")
DEMO = files("pgsim.demo")
# Their licences, or their size, keep them out.
EXCLUDED = {
    "ufoai-music",
    "naev-data",
    "warzone2100-music",
    "megaglest-data",
    "hyperrogue-music",
    "redeclipse-data",
}


@pytest.fixture(scope="module")
def packed() -> bytes:
    return (DEMO / "recordings.ndjson.gz").read_bytes()


@pytest.fixture(scope="module")
def recordings(packed: bytes) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in gzip.decompress(packed).splitlines()]


@pytest.fixture(scope="module")
def features(recordings: list[dict[str, Any]]) -> NDArray[np.float32]:
    profile = read_profile("essentia")
    return np.array([extract(each, profile) for each in recordings])


def test_the_file_fits_in_the_package(packed: bytes) -> None:
    assert len(packed) <= 1_000_000


def test_there_are_at_least_300_recordings_of_20_seconds_and_more(
    recordings: list[dict[str, Any]],
) -> None:
    assert len(recordings) >= 300
    assert min(each["metadata"]["audio_properties"]["length"] for each in recordings) >= 20


def test_every_recording_has_the_mbid_of_its_source_id(recordings: list[dict[str, Any]]) -> None:
    for each in recordings:
        assert each["mbid"] == str(uuid5(NAMESPACE, f"debian-music:{each['source_id']}"))
    assert len({each["mbid"] for each in recordings}) == len(recordings)


def test_every_recording_has_a_title_and_its_game_as_album(
    recordings: list[dict[str, Any]],
) -> None:
    games = {each.name: each.game for each in read_packages()}
    for each in recordings:
        tags = each["metadata"]["tags"]
        assert tags["title"][0].strip()
        assert tags["album"] == [games[each["extra"]["package"]]]


def test_no_recording_lacks_a_feature_set(features: NDArray[np.float32]) -> None:
    assert not np.isnan(features).any()


def test_the_notice_names_every_package_and_every_licence(
    recordings: list[dict[str, Any]],
) -> None:
    rows = {}
    for line in (DEMO / "NOTICE.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("| ").split("|")]
        if len(cells) == 5 and cells[2].isdigit():
            rows[cells[0]] = cells
    counted: dict[str, int] = {}
    for each in recordings:
        package, licence = each["extra"]["package"], each["extra"]["licence"]
        counted[package] = counted.get(package, 0) + 1
        assert licence in rows[package][3].split(", ")
    assert {package: int(cells[2]) for package, cells in rows.items()} == counted
    assert not EXCLUDED & counted.keys()


def test_the_fused_vector_finds_a_games_music_no_worse_than_any_single_set(
    recordings: list[dict[str, Any]], features: NDArray[np.float32]
) -> None:
    profile = read_profile("essentia")
    values = aggregate(features, np.arange(len(features)), profile)
    moments = Moments(profile)
    moments.add(values)
    vectors = fuse(values, profile, moments.fit()).astype(np.float64)
    albums = np.array([each["metadata"]["tags"]["album"][0] for each in recordings])
    fused = precision_at_10(vectors, albums)
    single = {each.name: precision_at_10(vectors[:, each.slice], albums) for each in profile.sets}
    assert fused >= max(single.values()), single
    chance = np.mean([(albums == each).sum() - 1 for each in albums]) / (len(albums) - 1)
    assert fused > 4 * chance


def test_both_profiles_together_find_more_of_a_games_music_than_either(
    recordings: list[dict[str, Any]],
) -> None:
    profile = both_profiles()
    features = np.array([extract(each, profile) for each in recordings])
    values = aggregate(features, np.arange(len(features)), profile)
    moments = Moments(profile)
    moments.add(values)
    vectors = fuse(values, profile, moments.fit())
    _, albums = np.unique(
        [each["metadata"]["tags"]["album"][0] for each in recordings], return_inverse=True
    )
    protocol = Protocol(albums, queries=len(albums))
    start = read_profile("essentia").dimensions
    scores = [
        protocol.scores(protocol.ranked(part)[0]["similarity"])[:, 0]
        for part in (vectors[:, :start], vectors[:, start:], vectors)
    ]
    essentia, musicnn, both = (each.mean() for each in scores)
    assert both >= 1.1 * essentia
    assert essentia > musicnn
    [(low, _)] = bootstrap((scores[2] - scores[0])[:, None], albums[protocol.rows])
    assert low > 0


def precision_at_10(vectors: NDArray[np.float64], albums: NDArray[np.str_]) -> float:
    """Share of the same album among the ten nearest, over all recordings as seeds."""
    squares = (vectors**2).sum(axis=1)
    distances = squares[:, None] + squares - 2 * vectors @ vectors.T
    np.fill_diagonal(distances, np.inf)
    nearest = np.argsort(distances, axis=1, kind="stable")[:, :10]
    return float((albums[nearest] == albums[:, None]).mean())


@pytest.mark.parametrize(
    ("path", "artist", "expected"),
    [
        ("music/Sands_of_Time.ogg", None, "Sands of Time"),
        ("music/01 - pronobozo - lincity.ogg", "pronobozo", "lincity"),
        ("music/07_-_Vermocsar.ogg", None, "Vermocsar"),
        ("music/0_8Bit_Bonus_Track.ogg", None, "8Bit Bonus Track"),
        ("music/Olivier_Militon.-.Apnee.ogg", "Olivier Militon", "Apnee"),
        ("songs/Metal madness/song.ogg", None, "Metal madness"),
        ("Music.ocg/@CrushedIceCocktail.ogg", None, "CrushedIceCocktail"),
        ("audio/track16.ogg", None, "track16"),
        ("music/12.ogg", None, "12"),
    ],
)
def test_a_title_is_the_file_name_without_what_is_no_title(
    path: str, artist: str | None, expected: str
) -> None:
    assert title(path, artist) == expected


def test_a_credit_for_a_file_goes_before_its_packages() -> None:
    (package,) = read_packages(["trackballs-data"])
    assert package.artist_of("usr/share/games/trackballs/music/crazy.ogg") == "Paul Leach"
    assert package.artist_of("usr/share/games/trackballs/music/tb_sorrow.ogg") is None
    assert package.licence_of("usr/share/games/trackballs/music/tb_sorrow.ogg") == "GPL-2+"


def test_an_unknown_package_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"unknown package 'nethack'; known: 0ad-data, amoebax"):
        read_packages(["nethack"])


@pytest.mark.parametrize(
    "path",
    [
        "usr/share/games/hedgewars/Data/Sounds/voices/Classic/Hello.ogg",
        "usr/share/games/0ad/mods/public/public.zip/audio/ambient/weather/rain_11.ogg",
        "usr/share/games/supertuxkart/data/library/stklib_steamLocomotive_a/steamLocomotive.ogg",
    ],
)
def test_effects_and_voices_are_no_recordings(path: str) -> None:
    (package,) = read_packages(["supertuxkart-data"])
    assert why_left_out(Recording(package, path, Path(path))) == "effect or voice"


def test_recordings_are_found_in_archives_and_links_are_not_counted(tmp_path: Path) -> None:
    archive = tmp_path / "data" / "music.pk3"
    archive.parent.mkdir()
    with ZipFile(archive, "w") as members:
        members.writestr("sound/cdtracks/infight.ogg", b"audio")
        members.writestr("sound/readme.txt", b"text")
    unpack_archive(archive)
    (tmp_path / "data" / "again.ogg").symlink_to(archive / "sound/cdtracks/infight.ogg")
    (package,) = read_packages(["nexuiz-music"])
    (found,) = find_recordings(package, tmp_path)
    assert found.source_id == "nexuiz-music/data/music.pk3/sound/cdtracks/infight.ogg"
    assert found.file.read_bytes() == b"audio"


def test_the_same_lines_make_the_same_file(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write([b'{"a":1}', b'{"a":2}'], tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert gzip.decompress((tmp_path / "one").read_bytes()) == b'{"a":1}\n{"a":2}\n'


def test_numbers_keep_six_significant_digits() -> None:
    assert rounded([0.123456789, -1234567.8, 1e-9 / 3, 5, "C"]) == [
        0.123457,
        -1234570.0,
        3.33333e-10,
        5,
        "C",
    ]
