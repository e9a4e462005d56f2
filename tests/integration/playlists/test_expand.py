"""Playlists of other programs: their tracks found, expanded, and written for these programs."""

import gzip
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import psycopg
import pytest
from psycopg.types.json import Jsonb

import pgsim
from pgsim import embedded
from pgsim.cli import run
from pgsim.errors import PgsimError
from pgsim.postgres.connection import Connection, connect
from pgsim.sources.submission import own_mbid
from tests.support.audio import needs, needs_program, sine, write_audio
from tests.support.paths import CHECKOUT
from tests.support.plane import mbid

# Artist, title, album, source_id, url and length; by their numbers from 1.
RECORDINGS: list[tuple[Any, ...]] = [
    ("Ada", "East", "Points", "Ada/East.flac", None, 100),
    ("Ada", "East (Live)", "Lines", "Ada/Live/East.flac", None, 200),
    ("Bob feat. Cyd", "Nörth & So", "Points", "Bob/Nörth & So.flac", None, None),
    ("Bob", "Don’t stop", None, None, "file:///m/Bob/Don%27t%20stop.flac", None),
    ("Cyd", "One", "First", "Cyd/First/01.flac", None, None),
    ("Cyd", "Two", "Second", "Cyd/Second/01.flac", None, None),
    (None, "Intro", None, "track 17", None, None),
    ("Tyler, The Creator", "See You", None, None, None, None),
    ("Sigur Rós", "Untitled #1", "( )", "42", None, None),
    ("Dee", "Mute", None, "Dee/Mute.flac", None, None),
]
MUTE = 10  # it has no vector
OLD, GONE = mbid(1000), mbid(2000)


@pytest.fixture(scope="module")
def conn(server: embedded.Server, plane_template: str) -> Iterator[Connection]:
    """The recordings above, and thirty of other artists in files of their own."""
    name = "playlists"
    with psycopg.connect(server.conninfo("postgres"), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {plane_template}".encode())
    others = [
        (f"Artist {n}", f"Song {n}", None, f"Artist {n}/Song {n}.flac", None, 60)
        for n in range(11, 41)
    ]
    with closing(connect(server.conninfo(name), autocommit=True)) as conn:
        conn.cursor().executemany(
            "INSERT INTO pgsim.recording (mbid, artist, title, album, source_id, url, length,"
            " vector) VALUES (%s, %s, %s, %s, %s, %s, %s, %s::public.vector)",
            [
                (mbid(n), *row, None if n == MUTE else f"[{n},{n % 3}]")
                for n, row in enumerate([*RECORDINGS, *others], 1)
            ],
        )
        conn.execute("INSERT INTO pgsim.redirect VALUES (%s, %s)", (OLD, mbid(1)))
        conn.execute("CALL pgsim.refresh_similarity()")
        yield conn


def match(conn: Connection, *tracks: Any) -> list[tuple[int | None, str | None]]:
    """The number of each track's recording, and how it was found."""
    rows = conn.execute(
        "SELECT mbid, matched_by FROM pgsim.match_recordings(%s) ORDER BY place",
        (Jsonb(list(tracks)),),
    )
    return [(found and found.int, way) for found, way in rows]


URL = "https://musicbrainz.org/recording/{}".format
FOUND: list[tuple[dict[str, Any], int | None, str | None]] = [
    ({"identifier": URL(mbid(3))}, 3, "mbid"),
    ({"identifier": [URL(OLD)], "title": "Two"}, 1, "mbid"),
    ({"identifier": f"urn:uuid:{mbid(2)}"}, 2, "mbid"),
    ({"identifier": str(mbid(2)).upper()}, 2, "mbid"),
    ({"identifier": ["spotify:1", "track 17"]}, 7, "own id"),
    ({"identifier": [URL(GONE), "42"]}, 9, "own id"),
    ({"identifier": f"https://musicbrainz.org/release/{mbid(2)}"}, None, None),
    ({"identifier": URL(GONE), "creator": "cyd", "title": "two"}, 6, "artist and title"),
    ({"location": "Ada/East.flac"}, 1, "path"),
    ({"location": "/home/me/Music/Ada/East.flac"}, 1, "path"),
    ({"location": "m:\\music\\ADA\\LIVE\\EAST.FLAC"}, 2, "path"),
    ({"location": ["file:///x/Bob/N%C3%B6rth%20%26%20So.flac"]}, 3, "path"),
    ({"location": "../Bob/No\u0308rth & So.flac"}, 3, "path"),
    ({"location": "/elsewhere/Bob/Don't stop.flac"}, 4, "path"),
    ({"location": "/x/Second/01.flac"}, 6, "path"),
    # A name alone, or in another folder, could be any album's.
    ({"location": "/x/Third/01.flac"}, None, None),
    ({"location": "01.flac"}, None, None),
    ({"location": "East.flac", "title": "East", "creator": "Ada"}, 1, "artist and title"),
    ({"creator": "ADA", "title": "East"}, 1, "artist and title"),
    ({"creator": "Ada", "title": "East - Live"}, 1, "artist and title"),
    ({"creator": "Ada", "title": "East (Live)"}, 2, "artist and title"),
    ({"creator": "Ada", "title": "East - Remix", "album": "lines"}, None, None),
    ({"creator": "Ada", "title": "East - Remix", "duration": 199000}, None, None),
    ({"creator": "Bob", "title": "Dont Stop"}, None, None),
    ({"creator": "Bob", "title": "Don't Stop (2011 Remaster)"}, 4, "artist and title"),
    ({"creator": "Bob, Cyd", "title": "North & So"}, 3, "artist and title"),
    ({"creator": "Tyler, the Creator", "title": "See you"}, 8, "artist and title"),
    ({"creator": "Sigur Ros", "title": "Untitled #1"}, 9, "artist and title"),
    ({"title": "Intro"}, 7, "artist and title"),
    ({"title": "East"}, None, None),
    ({"creator": "Eve", "title": "Intro"}, None, None),
    ({"creator": "Dee", "title": "!?"}, None, None),
    ({"title": "' & : * \\ | ("}, None, None),
    ({}, None, None),
    ({"identifier": None, "location": [], "title": 5, "duration": "long"}, None, None),
]


def test_each_track_is_found_in_one_way_or_not_at_all(conn: Connection) -> None:
    found = match(conn, *(track for track, _, _ in FOUND))
    wanted = [(number, way) for _, number, way in FOUND]
    assert [(FOUND[place][0], row) for place, row in enumerate(found) if row != wanted[place]] == []
    # Each alone, too: none depends on the others.
    for track, number, way in FOUND[::5]:
        assert match(conn, track) == [(number, way)]


def test_genuine_artists_and_titles_are_found_where_their_keys_are_equal(plane: Connection) -> None:
    data = gzip.decompress((CHECKOUT / "pgsim" / "demo" / "recordings.ndjson.gz").read_bytes())
    tags = [orjson.loads(line)["metadata"]["tags"] for line in data.splitlines()]
    named = {(*tag.get("artist", [None])[:1], *tag.get("title", [None])[:1]) for tag in tags}
    given = sorted((pair for pair in named if pair[1]), key=str)
    assert len(given) > 300
    plane.cursor().executemany(
        "INSERT INTO pgsim.recording (mbid, artist, title) VALUES (gen_random_uuid(), %s, %s)",
        given,
    )
    tracks = [{"creator": artist, "title": title} for artist, title in given]
    rows = plane.execute(
        "SELECT t.track ->> 'creator', t.track ->> 'title', m.artist, m.title"
        " FROM pgsim.match_recordings(%(tracks)s) AS m"
        " JOIN jsonb_array_elements(%(tracks)s) WITH ORDINALITY AS t (track, place) USING (place)",
        {"tracks": Jsonb(tracks)},
    ).fetchall()
    unlike = [row for row in rows if row[:2] != row[2:]]
    # A title of signs alone has no word to look for.
    assert [row for row in unlike if any(map(str.isalnum, row[1]))] == []


@pytest.mark.parametrize(
    ("tracks", "said"),
    [
        (None, "tracks is NULL, but must be a list"),
        (Jsonb({"track": []}), "tracks is object, but must be a list"),
        (Jsonb([{}, "East"]), 'track 2 is "East", but must be an object'),
    ],
)
def test_what_is_no_list_of_tracks_is_refused(conn: Connection, tracks: Any, said: str) -> None:
    with pytest.raises(psycopg.Error, match=said):
        conn.execute("SELECT * FROM pgsim.match_recordings(%s::jsonb)", (tracks,))


PLAYLIST = """#EXTM3U
#EXTINF:100,Ada - East
/m/Ada/East.flac
#EXTINF:-1,Nobody - Nothing
/m/nothing.flac
/m/Dee/Mute.flac
"""


def test_the_command_appends_and_names_what_it_did_not_find(
    conn: Connection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.m3u").write_text(PLAYLIST)
    out = tmp_path / "b.m3u"
    command = ["--database", conn.info.dsn, "playlist", str(tmp_path / "a.m3u"), "-k", "4"]
    assert run([*command, "-o", str(out), "--exclude", str(mbid(12))]) == 0
    said = capsys.readouterr()
    assert "3 tracks, of which 2 are here: 2 by path" in said.out
    assert "not here, 1 of 3 tracks:\n    Nobody – Nothing\n" in said.err
    assert "here without a vector, 1 of 3 tracks:\n    /m/Dee/Mute.flac\n" in said.err
    lines = out.read_text().splitlines()
    kept = PLAYLIST.splitlines()
    assert [line for line in lines if line in kept] == kept
    added = [line for line in lines if line not in kept and not line.startswith("#")]
    assert len(added) == 3
    assert (
        "left out of the file, since their path is not known, 1 of 7 tracks:\n    Intro" in said.err
    )
    assert all(line.startswith("/m/") for line in added)
    assert "Song 12" not in said.out
    assert run([*command, "-o", str(out)]) == 2
    assert "exists: --force replaces it" in capsys.readouterr().err
    assert run([*command, "--json", "--no-distinct-titles", "--artist-gap", "0"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["unmatched"] == ["Nobody – Nothing"]
    assert [row["rank"] for row in report["added"]] == [1, 2, 3, 4]
    assert {row["mbid"] for row in report["added"]}.isdisjoint({str(mbid(1)), str(mbid(MUTE))})


def test_python_expands_ids_as_well_as_files(conn: Connection, tmp_path: Path) -> None:
    with pgsim.connect(conn.info.dsn) as db:
        found = db.expand_playlist([mbid(5), "track 17", str(OLD), GONE], 3, artist_gap=0)
        assert found.matched == {"mbid": 2, "own id": 1}
        assert found.unmatched == [str(GONE)]
        whole = db.expand_playlist([mbid(5), mbid(7), mbid(1)], 3, artist_gap=0)
        assert found.added == whole.added
        near = db.expand_playlist([mbid(20)], min_similarity=found.added[0].similarity)
        assert all(row.similarity >= found.added[0].similarity for row in near.added)
        with pytest.raises(PgsimError, match="none of the 1 tracks is a recording.*: 0000"):
            db.expand_playlist([GONE])
        (tmp_path / "a.txt").write_text(f"{mbid(5)}\n{GONE}\n")
        of_file = db.expand_playlist(tmp_path / "a.txt", 2, output=tmp_path / "b.jspf")
    tracks = json.loads((tmp_path / "b.jspf").read_text())["playlist"]["track"]
    assert [each["identifier"] for each in tracks] == [
        [URL(mbid(5))],
        [URL(GONE)],
        *([URL(row.mbid)] for row in of_file.added),
    ]


def test_a_long_playlist_is_expanded_by_a_thousand_of_its_tracks(plane: Connection) -> None:
    plane.execute(
        "INSERT INTO pgsim.recording (mbid, title, vector)"
        " SELECT lpad(to_hex(i), 32, '0')::uuid, 'song ' || i, ARRAY[i % 50, i]::public.vector"
        " FROM generate_series(1, 1500) AS i"
    )
    notices: list[str] = []
    plane.add_notice_handler(lambda each: notices.append(each.message_primary or ""))
    rows = plane.execute(
        "SELECT mbid FROM pgsim.expand_playlist(ARRAY("
        "SELECT mbid FROM pgsim.recording WHERE id <= 1400 ORDER BY id), 5)"
    ).fetchall()
    assert notices == ["of 1400 recordings 1000 are the seeds, evenly spread"]
    assert len(rows) == 5
    assert all(found.int > 1400 for (found,) in rows)


@needs_program("mpd")
@needs_program("mpc")
@needs("soundfile", extra="rhythm")
def test_mpd_writes_what_pgsim_reads_and_loads_what_it_writes(
    conn: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    music, lists = tmp_path / "music", tmp_path / "lists"
    lists.mkdir()
    for (own,) in conn.execute(
        "SELECT source_id FROM pgsim.recording WHERE source_id LIKE '%.flac'"
    ):
        write_audio(music / own, sine(440, 0.1))
    (tmp_path / "mpd.conf").write_text(
        f'music_directory "{music}"\nplaylist_directory "{lists}"\ndb_file "{tmp_path}/db"\n'
        f'bind_to_address "{tmp_path}/socket"\naudio_output {{\n  type "null"\n  name "none"\n}}\n'
    )
    monkeypatch.setenv("MPD_HOST", f"{tmp_path}/socket")

    def mpc(*arguments: str) -> list[str]:
        command = ["mpc", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split(
            "\n"
        )

    with subprocess.Popen(
        ["mpd", "--no-daemon", tmp_path / "mpd.conf"], stderr=subprocess.DEVNULL
    ) as player:
        try:
            deadline = time.monotonic() + 20
            while not (tmp_path / "socket").exists() and time.monotonic() < deadline:
                time.sleep(0.05)
            mpc("--wait", "update")
            mpc("add", "Ada")
            mpc("add", "Bob")
            mpc("save", "made")
            with pgsim.connect(conn.info.dsn) as db:
                found = db.expand_playlist(lists / "made.m3u", 9, output=lists / "ours.m3u")
            assert found.matched == {"path": 3}
            mpc("clear")
            mpc("load", "ours")
            loaded = [line for line in mpc("playlist", "-f", "%file%") if line]
        finally:
            player.terminate()
    assert found.unmatched == []
    # Its library has no file of /m.
    written = [line for line in (lists / "ours.m3u").read_text().splitlines() if line[:1] != "#"]
    assert loaded == [line for line in written if not line.startswith("/m/")]
    assert len(written) == 3 + 9 - len(found.left_out)


_TROI = """
import json, sys
from troi import Artist, ArtistCredit, Playlist, Recording
from troi.playlist import _deserialize_from_jspf, _serialize_to_jspf
if len(sys.argv) > 2:
    credit = ArtistCredit(name="Ada", artists=[Artist(mbid="0dad432b-16cc-4bf0-8961-fd31d124b01b")])
    recordings = [Recording(name=f"No {m}", mbid=m, artist_credit=credit) for m in sys.argv[2:]]
    made = _serialize_to_jspf(Playlist(name="made", recordings=recordings))
    json.dump(made, open(sys.argv[1], "w"))
else:
    read = _deserialize_from_jspf(json.load(open(sys.argv[1])))
    print(json.dumps([[each.mbid, each.name] for each in read.recordings]))
"""


@needs_program("troi")  # in an environment of its own, since it needs older libraries
def test_troi_writes_what_pgsim_reads_and_reads_what_it_writes(
    conn: Connection, tmp_path: Path
) -> None:
    script = Path(str(shutil.which("troi"))).read_text()
    python = script.partition("\n")[0].removeprefix("#!")
    made, ours = tmp_path / "made.jspf", tmp_path / "ours.jspf"
    command = [python, "-c", _TROI]
    subprocess.run([*command, made, str(mbid(1)), str(OLD), str(GONE)], check=True)
    with pgsim.connect(conn.info.dsn) as db:
        found = db.expand_playlist(made, 5, output=ours)
    assert found.matched == {"mbid": 2}
    read = subprocess.run([*command, ours], capture_output=True, check=True).stdout
    assert json.loads(read) == [
        *([str(each), f"No {each}"] for each in (mbid(1), OLD, GONE)),
        *([str(row.mbid), row.title] for row in found.added),
    ]


def test_an_own_mbid_is_not_given_out_as_one_of_musicbrainz(
    plane: Connection, tmp_path: Path
) -> None:
    own = [own_mbid("test", str(number)) for number in range(3)]
    for number, each in enumerate(own):
        plane.execute(
            "INSERT INTO pgsim.recording (mbid, title, vector) VALUES (%s, 'x', %s::public.vector)",
            (each, f"[{number},0]"),
        )
    with pgsim.connect(plane.info.dsn) as db:
        db.expand_playlist(own[:1], 1, distinct_titles=False, output=tmp_path / "a.jspf")
        again = db.expand_playlist(tmp_path / "a.jspf", 5, distinct_titles=False)
    assert again.matched == {"mbid": 2}
    assert [row.mbid for row in again.added] == own[2:]
    written = (tmp_path / "a.jspf").read_text()
    assert written.count("urn:uuid:") == 2
    assert "musicbrainz.org/recording" not in written
