"""AudioMuse-AI's database by its URL, and the pages of its /api/sync, from two commands on."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pgsim.cli import run
from pgsim.loading.chunks import Limits
from pgsim.loading.databases import place_of
from pgsim.loading.load import load
from pgsim.postgres.connection import connect
from pgsim.sources import audiomuse
from pgsim.sources.submission import own_mbid
from tests.support.audiomuse import Track, fill, sync_page, sync_track, tracks
from tests.support.commands import report, rows
from tests.support.rows import contents

Databases = Callable[..., str]
SECRET = "gehe1mXYZ"


@pytest.fixture
def library(new_database: Databases) -> str:
    """AudioMuse-AI's database, with 20 tracks; its URL has a password."""
    url = new_database()
    fill(url, tracks(20))
    return url.replace("postgres@", f"postgres:{SECRET}@")


def made(new_database: Databases, capsys: pytest.CaptureFixture[str], profile: str) -> str:
    url = new_database()
    report(capsys, "--database", url, "init", "--profile", profile)
    return url


def test_a_database_loads_by_its_url_in_two_commands(
    library: str, new_database: Databases, capsys: pytest.CaptureFixture[str]
) -> None:
    url = made(new_database, capsys, "audiomuse")
    loaded = report(capsys, "--database", url, "load", library)
    assert [loaded[key] for key in ("read", "new", "rejected")] == [20, 20, 0]
    assert (loaded["recordings"], loaded["without_vector"]) == (20, 0)
    assert rows(
        url,
        "SELECT source_id, title, artist, album, year, length::text, genre, genres"
        " FROM pgsim.recording ORDER BY source_id LIMIT 1",
    ) == [
        (
            *("track00000", "Title 0", "Artist", "Album", 1998, "215.5", "indie"),
            ["mood:happy", "tag:indie", "tag:rock", "tag:hip-hop", "tag:pop"],
        )
    ]
    stored = {
        mbid: np.array(values, np.float32)
        for mbid, values in rows(url, "SELECT mbid, features FROM pgsim.submission")
    }
    for each in tracks(20):
        np.testing.assert_array_equal(stored[own_mbid("audiomuse", each.item_id)], each.musicnn)
    again = report(capsys, "--database", url, "load", library)
    assert (again["read"], again["unchanged"], again["recordings"]) == (20, 20, 20)


def test_what_has_changed_in_the_database_is_updated(
    library: str, new_database: Databases, capsys: pytest.CaptureFixture[str]
) -> None:
    url = made(new_database, capsys, "audiomuse_clap")
    loaded = report(capsys, "--database", url, "load", library)
    assert (loaded["new"], loaded["without_vector"]) == (20, 0)
    with connect(library) as conn:
        conn.execute("UPDATE public.score SET title = 'Another' WHERE item_id = 'track00003'")
    fill_more = "INSERT INTO public.score (item_id, title) VALUES ('track99999', 'Not analysed')"
    with connect(library) as conn:
        conn.execute(fill_more)
    again = report(capsys, "--database", url, "load", library)
    assert [again[key] for key in ("read", "new", "updated", "unchanged")] == [21, 1, 1, 19]
    assert again["without_vector"] == 1


def test_the_password_of_a_url_is_stored_and_printed_nowhere(
    library: str,
    new_database: Databases,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with connect(library) as conn:
        conn.execute(
            "UPDATE public.embedding SET embedding = substr(embedding, 1, 400)"
            " WHERE item_id = 'track00004'"
        )
        conn.execute(
            "UPDATE public.embedding SET embedding = substr(embedding, 1, 7)"
            " WHERE item_id = 'track00005'"
        )
    url = made(new_database, capsys, "audiomuse")
    rejects = tmp_path / "rejects.ndjson"
    assert run(["--database", url, "load", library, "--rejects", str(rejects)]) == 0
    said = capsys.readouterr()
    lines = [json.loads(line) for line in rejects.read_text().splitlines()]
    name = library.partition("@/")[2].partition("?")[0]
    assert [(each["member"], each["reason"]) for each in lines] == [
        (f"{name}:track00004", "embedding: 100 numbers; 200 are needed"),
        (f"{name}:track00005", "embedding has 7 bytes; float32 numbers have 4 each"),
    ]
    assert {each["file"] for each in lines} == {library.replace(f":{SECRET}", "")}
    with connect(url) as conn:
        tables = conn.execute(
            "SELECT quote_ident(relname) FROM pg_class WHERE relkind = 'r'"
            " AND relnamespace = 'pgsim'::regnamespace"
        ).fetchall()
        stored = "".join(
            str(conn.execute(f"SELECT t::text FROM pgsim.{table} AS t".encode()).fetchall())
            for (table,) in tables
        )
    assert "track00004" in stored
    assert SECRET not in stored + said.out + said.err + rejects.read_text()
    # The rejects are those of the last load.
    with connect(library) as conn:
        conn.execute("DELETE FROM public.embedding WHERE item_id IN ('track00004', 'track00005')")
    report(capsys, "--database", url, "load", library)
    assert rows(url, "SELECT * FROM pgsim.reject") == []


@pytest.mark.parametrize(
    "wrong",
    [
        f"postgresql://postgres:{SECRET}#1@nowhere/db",
        f"postgresql://postgres:{SECRET}/1@nowhere/db",
        f"postgresql://postgres:{SECRET}@127.0.0.1:1/db",
        f"mysql://root:{SECRET}@nowhere/db",
        f"http://user:{SECRET}@nowhere/api/sync",
        f"host=nowhere password={SECRET} dbname=db",
    ],
)
def test_a_url_that_cannot_be_used_is_refused_without_its_password(
    wrong: str, new_database: Databases, capsys: pytest.CaptureFixture[str]
) -> None:
    url = made(new_database, capsys, "audiomuse")
    assert run(["--database", url, "load", wrong]) in (1, 2)
    said = capsys.readouterr()
    assert said.err.startswith("pgsim: ")
    assert SECRET not in said.out + said.err
    assert rows(url, "SELECT * FROM pgsim.reject") == []


def test_another_database_and_another_profile_are_refused_with_the_cure(
    library: str, new_database: Databases, capsys: pytest.CaptureFixture[str]
) -> None:
    url = made(new_database, capsys, "audiomuse")
    assert run(["--database", url, "load", url]) == 1
    assert "no table public.score: it is not a database of AudioMuse-AI" in capsys.readouterr().err
    other = made(new_database, capsys, "essentia")
    assert run(["--database", other, "load", library]) == 1
    assert "init --profile audiomuse" in capsys.readouterr().err
    assert run(["--database", url, "load", library, "--source", "table"]) == 2
    assert "source 'table' reads no database" in capsys.readouterr().err


def test_an_older_release_without_clap_loads_too(
    new_database: Databases, capsys: pytest.CaptureFixture[str]
) -> None:
    library = new_database()
    fill(library, tracks(5), is_old=True)
    url = made(new_database, capsys, "audiomuse")
    loaded = report(capsys, "--database", url, "load", library)
    assert (loaded["new"], loaded["without_vector"], loaded["without_year"]) == (5, 0, 5)


def test_a_view_that_another_role_made_for_a_table_is_not_read(
    new_database: Databases, capsys: pytest.CaptureFixture[str]
) -> None:
    library = new_database()
    fill(library, tracks(4), is_old=True)
    with connect(library) as conn:
        conn.execute(
            "CREATE SEQUENCE public.was_called; GRANT ALL ON SEQUENCE public.was_called TO PUBLIC;"
            "GRANT CREATE ON SCHEMA public TO PUBLIC; SET ROLE pg_monitor;"
            "CREATE VIEW public.clap_embedding AS SELECT 'a'::text AS item_id, '\\x00'::bytea AS"
            " embedding WHERE pg_catalog.nextval('public.was_called') > 0"
        )
    url = made(new_database, capsys, "audiomuse")
    assert run(["--database", url, "load", library]) == 1
    assert "public.clap_embedding belongs to role 'pg_monitor', and" in capsys.readouterr().err
    assert rows(library, "SELECT is_called FROM public.was_called") == [(False,)]


def test_a_database_is_read_by_several_processes_in_batches(
    new_database: Databases, capsys: pytest.CaptureFixture[str]
) -> None:
    library, given = new_database(), tracks(1200)
    fill(library, given)
    url = made(new_database, capsys, "audiomuse")
    with connect(url, autocommit=True) as conn:
        limits = Limits(documents=100, batch=300)
        loaded = load(conn, [place_of(library)], workers=2, limits=limits)
        assert (loaded.new, loaded.recordings, loaded.without_vector) == (1200, 1200, 0)


def test_pages_of_sync_have_the_same_tracks_as_the_database(
    library: str,
    new_database: Databases,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = tracks(20)
    pages = tmp_path / "pages"
    pages.mkdir()
    for number in (1, 2, 3):
        (pages / f"page{number}.json").write_text(sync_page(given, number, 8))
    pretty = tmp_path / "pretty"
    pretty.mkdir()
    for number in (1, 2, 3):
        page = json.loads(sync_page(given, number, 8))
        (pretty / f"page{number}.json").write_text(json.dumps(page, indent=2, sort_keys=True))
    whole = tmp_path / "sync.ndjson"
    whole.write_text("".join(sync_page(given, number, 8) for number in (1, 2, 3)))
    lines = tmp_path / "tracks.ndjson"
    text = (json.dumps(sync_track(each), sort_keys=True) for each in given)
    lines.write_text("\n".join(text) + "\n")
    plain = tmp_path / "lists.ndjson"
    plain.write_text(
        "".join(
            json.dumps({**sync_track(each), "embedding": np.asarray(each.musicnn).tolist()}) + "\n"
            for each in given
        )
    )
    with connect(library) as conn:
        conn.execute("UPDATE public.score SET duration = NULL")  # pages lack it
    from_library = made(new_database, capsys, "audiomuse")
    report(capsys, "--database", from_library, "load", library)
    with connect(from_library) as conn:
        expected = contents(conn, without=("id",))
    for place in (pages, pretty, whole, lines, plain):
        url = made(new_database, capsys, "audiomuse")
        loaded = report(capsys, "--database", url, "load", place)
        assert [loaded[key] for key in ("read", "new", "rejected")] == [20, 20, 0]
        with connect(url) as conn:
            assert contents(conn, without=("id",)) == expected


def test_pages_over_lines_in_ndjson_are_refused_with_the_cure(tmp_path: Path) -> None:
    path = tmp_path / "sync.ndjson"
    path.write_text(json.dumps(json.loads(sync_page(tracks(3), 1, 8)), indent=2, sort_keys=True))
    assert audiomuse.accepts(path)
    [member] = audiomuse.members(path)
    assert "name it .json if it is one page, or write each on a line: jq -c ." in member.fault


def test_tracks_that_cannot_be_meant_are_rejected_with_their_reasons(
    new_database: Databases, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = sync_track(tracks(1)[0])
    nan = Track("x", "X", np.full(200, np.nan, np.float32))
    lines = [
        good,
        {"album": None, "artist": None, "id": "bare", "fp": "abc"},
        {**good, "id": None},
        {**good, "embedding": "AAAA$"},
        {**sync_track(nan)},
        {**good, "embedding": "AAAAAAAA"},
        {"tracks": [{**good, "id": "a"}, 7, {**good, "id": "b", "embedding": [1.0] * 3}]},
        {"error": "Music-server registry unavailable; retry shortly"},
    ]
    path = tmp_path / "sync.ndjson"
    path.write_text("".join(json.dumps(each, sort_keys=True) + "\n" for each in lines) + "{no\n")
    url = made(new_database, capsys, "audiomuse")
    loaded = report(capsys, "--database", url, "load", path)
    assert [loaded[key] for key in ("read", "new", "rejected")] == [11, 2, 9]
    reasons = dict(rows(url, "SELECT substr(member, 13), reason FROM pgsim.reject"))
    assert reasons.pop("9").startswith("not JSON: ")
    assert reasons == {
        "2": "nothing in it for profile 'audiomuse', neither an embedding nor a title: ask for"
        " the pages without fields=index",
        "3": "not a track: it has neither item_id nor id",
        "4": "embedding is not base64 of float32 numbers",
        "5": "embedding: nan is not a finite number",
        "6": "embedding has 6 bytes; float32 numbers have 4 each",
        "7:2": "not a track: it is no object",
        "7:3": "embedding: 3 numbers; 200 are needed",
        "8": "not a track: it has neither item_id nor id",
    }


def test_labels_that_are_not_measured_are_none(
    new_database: Databases, capsys: pytest.CaptureFixture[str]
) -> None:
    library = new_database()
    zero = "danceable:0,aggressive:0,happy:0,party:0,relaxed:0,sad:0"
    odd = [
        replace(tracks(1)[0], moods="", features=zero),
        replace(tracks(2)[1], moods="no score,:0.5,rock:x,a:b:0.2", features="sad"),
    ]
    fill(library, odd)
    url = made(new_database, capsys, "audiomuse")
    report(capsys, "--database", url, "load", library)
    found = rows(url, "SELECT genres FROM pgsim.recording ORDER BY source_id")
    assert found == [([],), (["tag:a:b"],)]
