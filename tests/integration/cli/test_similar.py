"""pgsim similar: seeds by MBID, words or file; what is asked, and how it is shown."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from rich.cells import cell_len

from pgsim import embedded
from pgsim.cli import run
from pgsim.postgres.connection import Connection, connect
from tests.support.documents import collection, low_level, mbid, write_lines
from tests.support.rows import one, versions

Answer = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def conn(server: embedded.Server, filled_template: str) -> Iterator[Connection]:
    """A database with 30 recordings, in which nothing is changed."""
    name = "similar_shared"
    with psycopg.connect(server.conninfo("postgres"), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {filled_template}".encode())
    with closing(connect(server.conninfo(name), autocommit=True)) as conn:
        yield conn


@pytest.fixture
def similar(conn: Connection, capsys: pytest.CaptureFixture[str]) -> Answer:
    """The rows of `pgsim similar --json`."""

    def answer(*arguments: object) -> list[dict[str, Any]]:
        words = [str(each) for each in arguments]
        assert run(["--database", conn.info.dsn, "similar", "--json", *words]) == 0
        rows: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
        return rows

    return answer


def asked(conn: Connection, call: str, *parameters: object) -> list[str]:
    """The MBIDs that SQL answers."""
    return [str(row[1]) for row in conn.execute(f"SELECT * FROM {call}".encode(), parameters)]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], ""),
        (["--ranking", "distance"], "ranking => 'distance'"),
        (["--genre", "pop", "--year-to", "1985"], "genre => 'pop', year_to => 1985"),
        (["--same-genre"], "same_genre => true"),
        (["--same-decade"], "same_decade => true"),
        (["--length-from", "180", "--length-to", "300"], "length_from => 180, length_to => 300"),
        (["--exclude", mbid(3), "--exclude", mbid(4)], f"exclude => '{{{mbid(3)},{mbid(4)}}}'"),
        (["--exclude-artist", mbid(3)], f"exclude_artists => '{{{mbid(3)}}}'"),
        (["--max-per-artist", "1"], "max_per_artist => 1"),
        (["--distinct-titles"], "distinct_titles => true"),
        (["--min-similarity", "0.3"], "min_similarity => 0.3"),
        (["--metric", "bpm+key"], "metric => 'bpm+key'"),
        (["--weights", '{"moods": 2, "bpm": 0}'], """weights => '{"moods": 2, "bpm": 0}'"""),
        (["--metric", "mfccs", "--approximate"], "metric => 'mfccs', approximate => true"),
    ],
    ids=str,
)
def test_every_option_is_a_word_of_the_question(
    conn: Connection, similar: Answer, options: list[object], words: str
) -> None:
    rows = similar(mbid(14), "-k", 8, *options)
    call = f"pgsim.similar_recordings(%s, 8{', ' + words if words else ''})"
    assert [row["mbid"] for row in rows] == asked(conn, call, mbid(14))
    assert rows


def test_the_worst_are_the_farthest(conn: Connection, similar: Answer) -> None:
    rows = similar(mbid(1), "-k", 4, "--worst", "--metric", "mfccs")
    call = "pgsim.dissimilar_recordings(%s, 4, metric => 'mfccs')"
    assert [row["mbid"] for row in rows] == asked(conn, call, mbid(1))
    assert [row["distance"] for row in rows] == sorted((r["distance"] for r in rows), reverse=True)


def test_a_document_is_placed_as_a_load_places_it_and_nothing_is_stored(
    conn: Connection, similar: Answer, tmp_path: Path
) -> None:
    [document] = [each for each in collection(30) if each.mbid == mbid(3)]
    path = tmp_path / "a.json"
    path.write_text(json.dumps(document.body))
    before = versions(conn)
    rows = similar(path, "-k", 5, "--ranking", "distance")
    assert versions(conn) == before
    assert rows[0]["mbid"] == str(mbid(3))
    assert rows[0]["distance"] == pytest.approx(0, abs=1e-6)
    own = asked(conn, "pgsim.similar_recordings(%s, 4, ranking => 'distance')", mbid(3))
    assert [row["mbid"] for row in rows[1:]] == own


def test_what_a_document_lacks_is_said(
    conn: Connection, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(low_level(1, lacks=["bpm"]).body))
    assert run(["--database", conn.info.dsn, "similar", str(path)]) == 0
    assert "without the feature sets bpm, moods" in capsys.readouterr().err


def test_a_search_takes_the_best_match_and_names_the_others(
    conn: Connection, similar: Answer, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["similar", "--artist", "ARTIST 2", "--title", "títle 1", "-k", "2", "--csv"]
    assert run(["--database", conn.info.dsn, *arguments]) == 0
    said = capsys.readouterr()
    found = conn.execute(
        "SELECT mbid, artist, title FROM pgsim.find_recordings("
        "NULL, 6, artist => 'ARTIST 2', title => 'títle 1')"
    ).fetchall()
    lines = [f"{mbid}  {artist}: {title}" for mbid, artist, title in found]
    assert said.err.splitlines() == [
        f"starting from {lines[0]}",
        *(f"    or else {line}" for line in lines[1:]),
    ]
    assert [row["mbid"] for row in csv.DictReader(io.StringIO(said.out))] == [
        row["mbid"] for row in similar(found[0][0], "-k", 2)
    ]


def test_statistics_are_of_all_that_the_answer_is_chosen_from(
    conn: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["similar", str(mbid(10)), "-k", "3", "--same-decade", "--stats", "--json"]
    assert run(["--database", conn.info.dsn, *arguments]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert len(answer["recordings"]) == 3
    row = conn.execute(
        """
        SELECT
            count(*), avg(d), stddev_pop(d), percentile_cont(0.95) WITHIN GROUP (ORDER BY d), max(d)
        FROM (
            SELECT pgsim.l2(r.vector, s.vector) AS d FROM pgsim.recording AS r, pgsim.recording AS s
            WHERE s.mbid = %s AND r.mbid <> s.mbid AND r.decade = s.decade
        ) AS a
        """,
        (mbid(10),),
    ).fetchone()
    assert row is not None
    statistics = answer["statistics"]
    assert statistics.pop("milliseconds") > 0
    assert list(statistics) == ["candidates", "mean", "deviation", "p95", "max"]
    assert list(statistics.values()) == pytest.approx(list(row), rel=1e-5)


def test_an_explanation_has_every_set_as_json_and_the_three_largest_in_a_table(
    conn: Connection, similar: Answer, capsys: pytest.CaptureFixture[str]
) -> None:
    [row] = similar(mbid(1), "-k", 1, "--explain")
    assert sum(each["share"] for each in row["explanation"]) == pytest.approx(1, abs=1e-5)
    arguments = ["similar", str(mbid(1)), "-k", "1", "--explain"]
    assert run(["--database", conn.info.dsn, *arguments]) == 0
    shown = capsys.readouterr().out
    for each in row["explanation"][:3]:
        assert f" {each['feature_set']} " in shown
        assert f"{each['share']:.0%}" in shown
    assert row["explanation"][3]["feature_set"] not in shown.split("feature set")[1]


GOLDEN = """
 rank   similarity   distance   year   genre           artist   title
 ────────────────────────────────────────────────────────────────────────────
    1       0.7509     1.0000   1999   ｗｉｄｅ        Björk    永永永永永永…
    c0ffee00-0000-4000-8000-000000000001
    2       0.4653     2.0000          a very long …            an unusually…
    c0ffee00-0000-4000-8000-000000000002
    3       0.2083     3.0000   2001   roc             🎵 duo   two lines
    c0ffee00-0000-4000-8000-000000000003
"""


def test_a_table_of_wide_and_long_texts_keeps_its_columns_in_80(
    plane: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        (mbid(0), "Seed", "Seed", 2000, "roc", "[0,0]"),
        (mbid(1), "Björk", "永" * 100, 1999, "ｗｉｄｅ", "[1,0]"),
        (mbid(2), None, "an unusually long title, " * 8, None, "a very long genre " * 3, "[0,2]"),
        (mbid(3), "🎵 duo", "two\nlines", 2001, "roc", "[3,0]"),
    ]
    plane.cursor().executemany(
        "INSERT INTO pgsim.recording (mbid, artist, title, year, genre, vector)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        rows,
    )
    assert run(["--database", plane.info.dsn, "similar", str(mbid(0)), "-k", "3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(cell_len, lines)) <= 80
    assert "\n".join(line.rstrip() for line in lines if line.strip()) == GOLDEN.strip("\n")


def test_where_nothing_matches_there_are_heads_and_no_rows(
    conn: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["similar", str(mbid(1)), "--year-from", "2300", "--stats"]
    assert run(["--database", conn.info.dsn, *arguments, "--csv"]) == 0
    said = capsys.readouterr()
    assert said.out == "rank,mbid,artist,title,album,year,genre,distance,similarity,source_id,url\n"
    assert said.err.startswith("candidates 0, milliseconds ")
    assert run(["--database", conn.info.dsn, *arguments]) == 0
    assert " rank " in capsys.readouterr().out


def test_csv_has_the_columns_of_sql_and_quotes_what_has_to_be(
    plane: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    plane.cursor().executemany(
        "INSERT INTO pgsim.recording (mbid, artist, title, vector) VALUES (%s, %s, %s, %s)",
        [(mbid(0), None, None, "[0,0]"), (mbid(1), 'A "B", C', "D\nE", "[1,0]")],
    )
    assert run(["--database", plane.info.dsn, "similar", str(mbid(0)), "--csv", "--stats"]) == 0
    said = capsys.readouterr()
    assert said.err.startswith("candidates 1, mean 1, deviation 0, p95 1, max 1, milliseconds ")
    head, *_ = said.out.splitlines()
    assert head == "rank,mbid,artist,title,album,year,genre,distance,similarity,source_id,url"
    [row] = csv.DictReader(io.StringIO(said.out))
    assert (row["artist"], row["title"], row["year"]) == ('A "B", C', "D\nE", "")


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        ([mbid(1), "--title", "x"], 2, "name one recording: by MBID, own id or file, or by"),
        (["--title", "unheard"], 1, "no recording has the words of title 'unheard': try fewer"),
        (
            ["--title", "?!"],
            1,
            "no recording has the words of title '?!': try fewer or other words",
        ),
        ([mbid(1), "--csv", "--json"], 2, "--csv or --json, not both"),
        ([mbid(1), "--weights", "{x"], 2, "--weights '{x' is no JSON"),
        ([mbid(1), "--weights", "null"], 2, "--weights 'null' is no JSON object: write it as"),
        ([mbid(1), "--weights", '{"bpm": NaN}'], 2, "--weights '{\"bpm\": NaN}' is no JSON object"),
        ([mbid(1), "--weights", '{"bpm": 1e999}'], 2, "weight bpm is inf, but must be a"),
        ([mbid(1), "-k", "99999999999"], 2, "k 99999999999: integer out of range"),
        ([mbid(1), "--decade", "-99999999999"], 2, "decade -99999999999: integer out of range"),
        ([mbid(1), "--weights", '{"x": 1}'], 2, "unknown feature set 'x' in weights; known"),
        (
            [mbid(1), "--max-per-artist", "0"],
            2,
            "max_per_artist is 0, but must be 1 or more; leave",
        ),
        (["unheard"], 1, "'unheard' is neither an MBID nor the own id of a recording; an MBID"),
        ([mbid(1), "--exclude-artist", "x"], 2, "'x' is not an MBID"),
        ([mbid(1), "--exclude", "x"], 1, "'x' is neither an MBID nor the own id of a"),
        ([mbid(1), "--worst", "--max-per-artist", "1"], 2, "--max-per-artist cannot go with"),
        (["missing.json"], 1, "missing.json not found"),
        (["/dev/null"], 1, "/dev/null is neither a file nor a folder"),
        (["{empty}"], 1, "a.json: empty"),
        (["{lines}"], 2, "holds more than one document: to ask about many, load them"),
        (["{document}", "--same-genre"], 2, "--same-genre asks about a recording in the database"),
        (["{document}", "--worst"], 2, "--worst asks about a recording in the database, by MBID"),
        (["{document}", "--explain"], 2, "--explain asks about a recording in the database"),
        (["{audio}"], 2, "is no document, and 'acousticbrainz', which measured the collection, is"),
        (["{other}"], 1, "was made by extractor 'librosa', and profile 'acousticbrainz' is for"),
        (["{foreign}"], 1, "has none of the fitted feature sets of profile 'acousticbrainz'"),
    ],
    ids=str,
)
def test_what_cannot_be_asked_is_one_line_and_an_exit_code(
    conn: Connection,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    arguments: list[object],
    code: int,
    line: str,
) -> None:
    files = {
        "{empty}": ("a.json", ""),
        "{document}": ("b.json", json.dumps(low_level(1).body)),
        "{audio}": ("c.flac", "fLaC"),
        "{other}": ("f.json", json.dumps({"extractor": "librosa", **low_level(1).body})),
        "{foreign}": ("d.json", '{"title": "x"}'),
        "{lines}": ("e.ndjson", ""),
    }
    for name, text in files.values():
        (tmp_path / name).write_text(text)
    write_lines(tmp_path / "e.ndjson", [low_level(1), low_level(2)])
    words = [str(tmp_path / files[w][0]) if w in files else str(w) for w in arguments]
    assert run(["--database", conn.info.dsn, "similar", *words]) == code
    said = capsys.readouterr()
    assert line in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""


def test_a_collection_that_is_not_fitted_takes_no_file(
    new_database: Callable[..., str],
    acousticbrainz_template: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(low_level(1).body))
    assert run(["--database", new_database(acousticbrainz_template), "similar", str(path)]) == 1
    assert "the feature sets are not fitted yet: load recordings first" in capsys.readouterr().err


def test_a_redirected_mbid_is_followed_by_every_question(
    new_database: Callable[..., str], filled_template: str, tmp_path: Path
) -> None:
    url = new_database(filled_template)
    file = tmp_path / "redirects.csv"
    file.write_text(f"gid,new_mbid\n{mbid(900)},{mbid(901)}\n{mbid(901)},{mbid(1)}\n")
    assert run(["--database", url, "redirects", str(file)]) == 0
    with closing(connect(url, autocommit=True)) as conn:
        other = mbid(2)
        for question in (
            "similar_recordings(%(seed)s, 5)",
            "similar_recordings(%(seed)s, 5, same_decade => true)",
            "similar_recordings(%(seed)s, 5, metric => 'bpm')",
            "dissimilar_recordings(%(seed)s, 5)",
            "similar_to_all(ARRAY[%(seed)s, %(other)s], 5)",
            "recording_distances(%(seed)s, %(other)s)",
            "explain_similarity(%(other)s, %(seed)s)",
        ):
            answers = [
                conn.execute(
                    f"SELECT * FROM {question}".encode(), {"seed": seed, "other": other}
                ).fetchall()
                for seed in (mbid(1), mbid(900), mbid(901))
            ]
            assert answers[0]
            assert answers[0] == answers[1] == answers[2], question
        assert one(conn, "SELECT count(*) FROM similar_recordings_batch(%s, 3)", [mbid(900)]) == 3
        left_out = (
            "SELECT count(*) FROM similar_recordings(%s, 1000, exclude => %s) WHERE mbid = %s"
        )
        for old in (mbid(1), mbid(900), mbid(901)):
            assert one(conn, left_out, other, [old], mbid(1)) == 0
        assert one(conn, left_out, other, [mbid(902)], mbid(1)) == 1
