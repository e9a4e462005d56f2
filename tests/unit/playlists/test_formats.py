"""The formats of playlists: what each says of a track, and what is written of it."""

import json
from pathlib import Path
from uuid import UUID

import pytest

from pgsim.errors import PgsimError, UsageError
from pgsim.playlists.files import read_playlist, require_writable, write_playlist
from pgsim.playlists.track import Playlist, Track, identifier_of

MBID = "0dad432b-16cc-4bf0-8961-fd31d124b01b"
URL = f"https://musicbrainz.org/recording/{MBID}"


def read(folder: Path, name: str, data: str | bytes) -> Playlist:
    (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)
    return read_playlist(folder / name)


M3U = """#EXTM3U\r
#PLAYLIST:Evening\r
#EXTINF:123 logo="x",Ada - East - Live\r
#EXTALB:Points\r
Ada/East.flac\r
\r
#EXTINF:-1,Untitled, by nobody\r
C:\\Music\\Bob\\North.mp3\r
https://e.org/a%20b.ogg\r
# the end\r
"""


def test_an_m3u_has_a_path_or_url_a_line_and_says_above_it_what_it_is(tmp_path: Path) -> None:
    east, north, web = read(tmp_path, "a.m3u", M3U).tracks
    assert (east.location, east.creator, east.title) == ("Ada/East.flac", "Ada", "East - Live")
    assert (east.album, east.seconds) == ("Points", 123)
    assert east.lines == ("#PLAYLIST:Evening", "#EXTALB:Points")
    assert (north.location, north.creator, north.title, north.seconds) == (
        *("C:\\Music\\Bob\\North.mp3", None),
        *("Untitled, by nobody", None),
    )
    assert web == Track("https://e.org/a%20b.ogg")


def test_an_m3u_is_written_as_it_was_but_for_the_ends_of_its_lines(tmp_path: Path) -> None:
    playlist = read(tmp_path, "a.m3u", M3U)
    write_playlist(playlist, tmp_path / "b.m3u8", tmp_path)
    kept = M3U.replace("\r", "").replace(' logo="x"', "").replace("\n\n", "\n").splitlines()
    written = (tmp_path / "b.m3u8").read_text().splitlines()
    assert sorted(written) == sorted(kept)
    assert read_playlist(tmp_path / "b.m3u8").tracks == playlist.tracks


@pytest.mark.parametrize(
    ("data", "location"),
    [
        ("Bjö.mp3".encode(), "Bjö.mp3"),
        (b"\xef\xbb\xbf#EXTM3U\nBj\xc3\xb6.mp3", "Bjö.mp3"),
        ("Bjö.mp3".encode("cp1252"), "Bjö.mp3"),
        ("#EXTM3U\nBjö.mp3".encode("utf-16"), "Bjö.mp3"),
    ],
)
def test_an_m3u_may_have_another_encoding(tmp_path: Path, data: bytes, location: str) -> None:
    assert read(tmp_path, "a.m3u", data).tracks == (Track(location),)


def test_a_name_of_odd_bytes_is_written_with_these_bytes(tmp_path: Path) -> None:
    data = "Bjö Größe.mp3\n".encode() + b"odd\xff.mp3\n"
    write_playlist(read(tmp_path, "a.m3u", data), tmp_path / "b.m3u", tmp_path)
    assert (tmp_path / "b.m3u").read_bytes() == b"#EXTM3U\n" + data


def test_relative_paths_lead_to_the_same_files_from_another_folder(tmp_path: Path) -> None:
    (tmp_path / "lists").mkdir()
    tracks = tuple(map(Track, ("Ada/East.flac", "/Bob/North.flac", "D:\\c.mp3", "http://e.org/d")))
    write_playlist(Playlist(tracks), tmp_path / "lists" / "b.m3u", tmp_path)
    lines = (tmp_path / "lists" / "b.m3u").read_text().splitlines()
    assert lines[1:] == ["../Ada/East.flac", "/Bob/North.flac", "D:\\c.mp3", "http://e.org/d"]


def test_line_ends_in_a_title_make_no_line(tmp_path: Path) -> None:
    track = Track("a.mp3", creator="A\nB", title="C\r\n/etc/passwd")
    write_playlist(Playlist((track,)), tmp_path / "b.m3u", tmp_path)
    lines = (tmp_path / "b.m3u").read_text().splitlines()
    assert lines == ["#EXTM3U", "#EXTINF:-1,A B - C /etc/passwd", "a.mp3"]


def test_a_path_that_an_m3u_would_take_for_something_else_is_no_line_of_it(tmp_path: Path) -> None:
    tracks = Track("#1.mp3"), Track("a\nb.mp3"), Track(title="nowhere")
    assert write_playlist(Playlist(tracks), tmp_path / "b.m3u", tmp_path) == [*tracks[1:]]
    assert read_playlist(tmp_path / "b.m3u").tracks == (Track("./#1.mp3"),)


JSPF = {
    "playlist": {
        "title": "Evening",
        "creator": "ada",
        "extension": {"https://musicbrainz.org/doc/jspf#playlist": {"public": True}},
        "track": [
            {
                "identifier": URL,
                "title": "East",
                "duration": 123456,
                "extension": {"https://musicbrainz.org/doc/jspf#track": {"added_by": "ada"}},
            },
            {"identifier": [URL], "location": ["file:///m/a%20b.ogg"], "creator": "Ada"},
            {"title": 5, "creator": [], "location": [1], "duration": "long"},
        ],
    }
}


def test_a_jspf_may_have_one_text_or_several_and_is_written_as_it_was(tmp_path: Path) -> None:
    playlist = read(tmp_path, "a.jspf", json.dumps(JSPF))
    one, two, none = playlist.tracks
    assert (one.identifiers, one.title, one.seconds) == ((URL,), "East", 123.456)
    assert (two.identifiers, two.location, two.creator) == ((URL,), "file:///m/a%20b.ogg", "Ada")
    assert none.name is None
    write_playlist(playlist, tmp_path / "b.jspf", tmp_path)
    written = json.loads((tmp_path / "b.jspf").read_text())["playlist"]
    assert {name: written[name] for name in ("title", "creator", "extension")} == {
        name: JSPF["playlist"][name] for name in ("title", "creator", "extension")
    }
    for given, track in zip(JSPF["playlist"]["track"], written["track"], strict=True):
        assert given.items() <= track.items()


def test_a_track_of_an_m3u_is_a_uri_in_jspf_and_a_path_again_in_m3u(tmp_path: Path) -> None:
    names = ("Größe & so/100 %.mp3", "/a/b.mp3", "C:\\x\\y z.mp3", "http://e.org/a b")
    write_playlist(Playlist(tuple(map(Track, names))), tmp_path / "b.jspf", tmp_path)
    tracks = json.loads((tmp_path / "b.jspf").read_text())["playlist"]["track"]
    locations = [each["location"][0] for each in tracks]
    assert locations == [
        f"file://{tmp_path}/Gr%C3%B6%C3%9Fe%20%26%20so/100%20%25.mp3",
        "file:///a/b.mp3",
        "file:///C:/x/y%20z.mp3",
        "http://e.org/a b",
    ]
    write_playlist(read_playlist(tmp_path / "b.jspf"), tmp_path / "c.m3u", tmp_path)
    lines = (tmp_path / "c.m3u").read_text().splitlines()
    assert lines[1:] == [f"{tmp_path}/{names[0]}", names[1], "C:/x/y z.mp3", names[3]]


def test_an_id_that_musicbrainz_does_not_know_is_no_url_of_it() -> None:
    assert identifier_of(UUID(MBID)) == URL
    own = UUID("1b78cc26-629f-5227-a30c-370d600c905d")
    assert identifier_of(own) == f"urn:uuid:{own}"


# As the programs write them: ListenBrainz, Exportify, Soundiiz, TuneMyMusic, Picard.
EAST = ("Ada", "East", "Points")
TABLES = [
    ("recording_mbid,artist_name,track_name,release_name\n{0},Ada,East,Points", (MBID, *EAST)),
    (
        '"Track URI","Track Name","Artist URI(s)","Artist Name(s)","Album Name",'
        '"Track Duration (ms)"\n"spotify:1","East","spotify:2","Ada","Points","123456"\n',
        (None, *EAST),
    ),
    ("title;artist;album;isrc\r\nEast;Ada;Points;\r\n", (None, *EAST)),
    ("Track name, Artist name, Album, Spotify - id\nEast,Ada,Points,1\n", (None, *EAST)),
    ("MusicBrainz Recording Id\tTitle\n{0}\tEast\n", (MBID, None, "East", None)),
    ("{0}\n", (MBID, None, None, None)),
    ("https://musicbrainz.org/recording/{0}\n", (URL, None, None, None)),
]


@pytest.mark.parametrize(("text", "said"), TABLES)
def test_a_table_names_recordings_by_its_columns(
    tmp_path: Path, text: str, said: tuple[str | None, ...]
) -> None:
    [track] = read(tmp_path, "a.csv", text.format(MBID)).tracks
    assert (next(iter(track.identifiers), None), track.creator, track.title, track.album) == said
    assert track.seconds == (123.456 if "(ms)" in text else None)


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.xyz", "", "does not say what it is: end it in one of .m3u, .m3u8, .jspf"),
        ("a.jspf", "{", "is no JSPF: "),
        ("a.jspf", "[]", "is no JSPF: it has to be"),
        ("a.jspf", '{"playlist": {"track": [1]}}', "is no JSPF: it has to be"),
        ("a.csv", "", "begins with 'nothing', and has neither MBIDs nor a column"),
        ("a.csv", "Year,Mood\n1,2\n", "begins with 'Year, Mood', and has neither"),
        ("a.csv", 'title\n"x', "line 2: not CSV"),
        ("a.m3u", "#EXTM3U\n#EXT-X-VERSION:3\na.ts\n", "segments of a stream"),
        ("a.m3u", b"\x1f\x8b\x08\x00", "is no playlist: no table of text, but compressed by gzip"),
    ],
)
def test_what_is_no_playlist_is_one_line_with_the_cure(
    tmp_path: Path, name: str, data: str | bytes, said: str
) -> None:
    with pytest.raises(UsageError) as caught:
        read(tmp_path, name, data)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_or_in_the_way_is_named(tmp_path: Path) -> None:
    with pytest.raises(PgsimError, match=r"cannot read .*a\.m3u: No such file"):
        read_playlist(tmp_path / "a.m3u")
    (tmp_path / "b.m3u").touch()
    (tmp_path / "c.m3u").mkdir()
    for name, said in (
        ("b.m3u", "exists: `force=True` replaces it"),
        ("c.m3u", "is a folder"),
        ("d.csv", "does not say what to write"),
    ):
        with pytest.raises(UsageError, match=said):
            require_writable(tmp_path / name, force=False)
    require_writable(tmp_path / "b.m3u", force=True)
    with pytest.raises(PgsimError, match="cannot write .*No such file"):
        write_playlist(Playlist(()), tmp_path / "no" / "e.m3u", tmp_path)
