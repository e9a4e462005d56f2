"""pgsim evaluate --input: what is planted is found, and what is right is not accused."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest

import pgsim
from pgsim import embedded
from pgsim.cli import run
from pgsim.errors import PgsimError
from pgsim.evaluation.suspects import Suspect, Suspects, find_suspects
from pgsim.loading.load import load
from pgsim.matrix.rebuild import rebuild
from pgsim.postgres.connection import Connection, connect
from tests.support.databases import install_template
from tests.support.documents import low_level, mbid
from tests.support.genuine import ACOUSTICBRAINZ, needs_genuine

# Length in seconds, key, tempo, and how many of the 94 genuine submissions of one recording have
# them. Its tuning lies between two keys; the first is another edit.
TICKET_TO_RIDE = [
    (176.4, "A", "major", 122.4, 7), (181.5, "A", "major", 122.9, 1),
    (184.3, "G#", "major", 123.5, 3), (185.2, "G#", "major", 120.6, 1),
    (186.1, "G#", "major", 123.4, 4), (187.1, "C#", "major", 123.8, 2),
    (187.3, "D", "major", 123.6, 12), (187.4, "G#", "major", 123.8, 4),
    (188.6, "A", "major", 123.5, 1), (188.9, "C#", "major", 123.0, 2),
    (189.4, "G#", "major", 123.5, 1), (190.0, "G#", "major", 123.4, 18),
    (191.0, "C#", "major", 123.4, 11), (191.0, "F", "minor", 123.4, 3),
    (191.0, "G#", "major", 123.4, 3), (192.1, "A", "major", 123.4, 3),
    (192.1, "C#", "major", 123.5, 3), (192.5, "F", "minor", 123.9, 1),
    (192.5, "G#", "major", 123.4, 4), (193.2, "C#", "major", 123.4, 1),
    (192.6, "G#", "major", 123.4, 3), (193.7, "C#", "major", 122.5, 5),
    (194.6, "F", "minor", 123.3, 1),
]  # fmt: skip


def heard(
    recording: int, number: int, length: float | None, key: str, scale: str, bpm: float
) -> str:
    """A line of NDJSON: a submission of that length, key and tempo, its timbre the recording's."""
    body = json.loads(low_level(recording, 0).line) | {"number": number}
    body["rhythm"]["bpm"] = bpm
    body["tonal"] = {"key_key": key, "key_scale": scale}
    body["metadata"]["audio_properties"] = {} if length is None else {"length": length}
    body["lowlevel"]["mfcc"]["mean"][0] += number / 1000
    return json.dumps(body) + "\n"


def loaded(conn: Connection, folder: Path, lines: list[str]) -> Suspects:
    path = folder / "all.ndjson"
    path.write_text("".join(lines), encoding="utf-8")
    assert load(conn, [path]).rejected == 0
    return find_suspects(conn)


def of_kind(found: Suspects, kind: str) -> list[Suspect]:
    own = [each for each in found.suspects if each.kind == kind]
    [looked] = [each for each in found.looked if each.kind == kind]
    assert looked.found == len(own)
    return own


def submissions_of(found: Suspects, kind: str) -> dict[tuple[int, int | None], str]:
    """The reason by recording and number."""
    return {
        (each.mbid.int - mbid(0).int, each.number): each.reason for each in of_kind(found, kind)
    }


def test_a_submission_that_disagrees_is_found_and_the_others_are_not(
    conn: Connection, tmp_path: Path
) -> None:
    same = [(200.0, "C", "major", 120.0)] * 4
    given: dict[int, list[tuple[float | None, str, str, float]]] = {
        1: [*same, (223.0, "C", "major", 120.0)],  # 11 %
        2: [*same, (218.0, "C", "major", 120.0)],  # 9 %
        3: [(20.0, "C", "major", 120.0)] * 3 + [(27.0, "C", "major", 120.0)],  # 7 seconds
        4: [*same, (200.0, "C", "major", 131.0)],
        5: [*same, (200.0, "C", "major", 240.0)],  # an octave
        6: [*same, (211.0, "D", "major", 120.0)],  # two fifths and 5.5 % longer
        7: [*same, (211.0, "G", "major", 120.0)],  # one fifth
        8: [*same, (200.0, "F#", "major", 120.0)],  # as far as can be, and nothing else is odd
        9: [*same, (200.0, "F#", "major", 126.0)],  # and 5 % faster
        10: [*same, (200.0, "A", "minor", 120.0)],  # the relative minor
        11: [(200.0, "C", "major", 120.0), (300.0, "F#", "major", 150.0)],  # which is wrong?
        12: [(None, "C", "major", 120.0), (300.0, "C", "major", 120.0)],
        13: [(400.0, "F#", "major", 90.0)],  # alone
        14: [*same, (None, "F#", "major", 160.0)],
    }
    lines = [
        heard(recording, number, *values)
        for recording, submissions in given.items()
        for number, values in enumerate(submissions)
    ]
    found = loaded(conn, tmp_path, lines)
    assert submissions_of(found, "length") == {
        (1, 4): "223.0 s, the others 200.0 s",
        (11, 0): "200.0 s, the others 300.0 s",
        (11, 1): "300.0 s, the others 200.0 s",
    }
    tempo = submissions_of(found, "tempo")
    assert set(tempo) == {(4, 4), (11, 0), (11, 1), (14, 4)}
    assert tempo[11, 0] == "25 % off the others, octaves aside"
    key = submissions_of(found, "key")
    assert set(key) == {(6, 4), (9, 4), (11, 0), (11, 1), (14, 4)}
    assert key[11, 1] == "F# major or D# minor, the others C major or A minor"
    looked = {each.kind: each.looked_at for each in found.looked}
    assert looked["tempo"] == len(lines) - 1
    assert looked["length"] == len(lines) - 3
    [first, *_] = of_kind(found, "length")
    assert (first.title, first.source) == ("Title 11", "acousticbrainz")


def test_of_94_genuine_submissions_the_other_edit_alone_is_found(
    conn: Connection, tmp_path: Path
) -> None:
    values = [each[:4] for each in TICKET_TO_RIDE for _ in range(each[4])]
    assert len(values) == 94
    lines = [heard(1, number, *each) for number, each in enumerate(values)]
    found = loaded(conn, tmp_path, lines)
    assert submissions_of(found, "length") == submissions_of(found, "tempo") == {}
    assert set(submissions_of(found, "key")) == {(1, number) for number in range(7)}


@needs_genuine
def test_the_genuine_documents_say_the_same(conn: Connection) -> None:
    load(conn, [ACOUSTICBRAINZ / "lowlevel"])
    found = find_suspects(conn)
    assert Counter(each.kind for each in found.suspects if each.source) == {"key": 7}


@pytest.fixture(scope="module")
def crowds_template(server: embedded.Server) -> str:
    """Two crowds of 60, rock and jazz, by artists of five recordings each."""
    name = install_template(server, "crowds", "acousticbrainz")
    rng = np.random.default_rng(4)
    with closing(connect(server.conninfo(name), autocommit=True)) as conn:
        for number in range(120):
            is_rock = number < 60
            vector = rng.normal(size=68)
            vector[0] += 0 if is_rock else 30
            conn.execute(
                "INSERT INTO pgsim.recording (mbid, title, artist, genre, length, vector)"
                " VALUES (%s, %s, %s, %s, %s, %s::real[]::public.vector)",
                (
                    UUID(int=number),
                    f"number {number}",
                    f"artist {number // 5}",
                    "rock" if is_rock else "jazz",
                    100 + 20 * number,
                    vector.tolist(),
                ),
            )
        rebuild(conn, engine="exact")
    return name


@pytest.fixture(params=[True, False], ids=["stored", "computed"])
def crowds(
    request: pytest.FixtureRequest, new_database: Callable[..., str], crowds_template: str
) -> Iterator[Connection]:
    """The two crowds, with lists and without."""
    with closing(connect(new_database(crowds_template), autocommit=True)) as conn:
        if not request.param:
            conn.execute("TRUNCATE pgsim.similarity_a, pgsim.similarity_b, pgsim.reach")
        yield conn


def numbers(suspects: list[Suspect]) -> set[int]:
    return {each.mbid.int for each in suspects}


def test_clean_crowds_are_not_accused(crowds: Connection) -> None:
    found = find_suspects(crowds)
    assert {each.kind for each in found.suspects} <= {"nobody"}
    assert [each.note for each in found.looked[:3]] == ["every MBID has one submission"] * 3
    assert [each.looked_at for each in found.looked[3:]] == [120] * 5


def test_a_label_that_all_neighbours_contradict_is_found(crowds: Connection) -> None:
    crowds.execute("UPDATE pgsim.recording SET genre = 'jazz' WHERE mbid = %s", (UUID(int=7),))
    found = find_suspects(crowds)
    [stray] = of_kind(found, "genre")
    assert stray.mbid.int == 7
    assert stray.reason == "10 of its 10 nearest are 'rock', none 'jazz'"
    assert (stray.artist, stray.title, stray.value) == ("artist 1", "number 7", 10)

    # One artist has each crowd, and one recording of the wrong.
    crowds.execute("UPDATE pgsim.recording SET artist = CASE WHEN genre = 'rock' THEN 'A' ELSE 'B'"
                   " END")  # fmt: skip
    [stray] = of_kind(find_suspects(crowds), "artist")
    assert stray.mbid.int == 7
    # Without other artists, whose genre would count, no genre is contradicted.
    assert of_kind(find_suspects(crowds), "genre") == []


def test_what_is_said_of_few_or_by_most_is_not_contradicted(crowds: Connection) -> None:
    # A genre of ten is too rare to be near by chance; of eleven, one has to be.
    crowds.execute("UPDATE pgsim.recording SET genre = 'folk' WHERE mbid = %s", (UUID(int=7),))
    assert of_kind(find_suspects(crowds), "genre") == []
    # Where most are rock, neighbours that are rock say little.
    crowds.execute("UPDATE pgsim.recording SET genre = 'rock'")
    crowds.execute(
        "UPDATE pgsim.recording SET genre = 'jazz' WHERE get_byte(uuid_send(mbid), 15) IN"
        " (1, 7, 13, 19, 25, 31, 37, 43, 49, 55, 61, 67, 73, 79, 85, 91, 97, 103, 109, 115)"
    )
    assert of_kind(find_suspects(crowds), "genre") == []


def test_near_duplicates_are_found_where_they_are_as_long(crowds: Connection) -> None:
    def put(number: int, title: str, length: float | None, place: float) -> None:
        vector = [float(place), *[0.0] * 67]
        crowds.execute(
            "INSERT INTO pgsim.recording (mbid, title, length, vector)"
            " VALUES (%s, %s, %s, %s::real[]::public.vector)",
            (UUID(int=number), title, length, vector),
        )

    # Far from the crowds, so that nothing else is near.
    for number in range(4):
        put(200 + number, f"Far {number}", 200, 100 + 50 * number)
    put(300, " far 0", 205, 100.5)
    put(301, "Far 1", 240, 150.5)  # another length
    put(302, "other", None, 200.5)
    put(303, "copy", 200, 250)
    if crowds.execute("SELECT count(*) FROM pgsim.similarity").fetchone() != (0,):
        rebuild(crowds, engine="exact")
    found = of_kind(find_suspects(crowds), "duplicate")
    pairs = [(each.mbid.int, each.other.int) for each in found if each.other]
    assert pairs == [(203, 303), (200, 300), (202, 302)]
    reasons = {each.mbid.int: each.reason for each in found}
    assert reasons[200] == f"0.500 from {UUID(int=300)}, 200.0/205.0 s, same title"
    assert reasons[202] == f"0.500 from {UUID(int=302)}, 200.0/? s, 'other'"
    assert reasons[203].startswith("0.000 from")


def test_what_is_in_nobodys_and_in_everybodys_lists_is_found(
    new_database: Callable[..., str], crowds_template: str
) -> None:
    with closing(connect(new_database(crowds_template), autocommit=True)) as conn:
        ids: dict[int, Any] = {
            each.int: id_ for id_, each in conn.execute("SELECT id, mbid FROM pgsim.recording")
        }
        conn.execute(
            "UPDATE pgsim.similarity SET distances[array_position(neighbours, %(id)s)] = 1e6"
            " WHERE %(id)s = ANY(neighbours)",
            {"id": ids[3]},
        )
        conn.execute(
            "UPDATE pgsim.similarity SET distances[array_position(neighbours, %(id)s)] = 1e-9"
            " WHERE %(id)s = ANY(neighbours[:80])",
            {"id": ids[4]},
        )
        conn.execute(
            "UPDATE pgsim.similarity SET neighbours[1] = %(id)s, distances[1] = 1e-9"
            " WHERE id <> %(id)s AND NOT %(id)s = ANY(neighbours[:80])",
            {"id": ids[4]},
        )
        found = find_suspects(conn)
        assert 3 in numbers(of_kind(found, "nobody"))
        [hub] = of_kind(found, "everybody")
        assert (hub.mbid.int, hub.value) == (4, 119)
        assert hub.reason == "in 119 lists of 10; the mean is 10"


def test_a_collection_that_cannot_be_looked_at_says_why(plane: Connection) -> None:
    with pytest.raises(PgsimError, match="nothing to look at: there are no recordings"):
        find_suspects(plane)
    plane.execute("INSERT INTO pgsim.recording (mbid, vector) VALUES (%s, '[1,1]')", (mbid(1),))
    found = find_suspects(plane)
    assert found.suspects == []
    assert {each.note for each in found.looked} == {
        "every MBID has one submission", "needs two recordings",
    }  # fmt: skip


def test_the_command_prints_counts_then_rows_and_all_of_them_as_json(
    crowds: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    crowds.execute("UPDATE pgsim.recording SET genre = 'jazz' WHERE mbid = %s", (UUID(int=7),))
    crowds.execute("UPDATE pgsim.recording SET genre = 'rock' WHERE mbid = %s", (UUID(int=77),))
    words = ["--database", crowds.info.dsn, "evaluate", "--input"]
    assert run([*words, "--rows", "1"]) == 0
    said = capsys.readouterr().out
    assert max(map(len, said.splitlines())) <= 80
    assert said.startswith("120 recordings with a vector\n")
    assert "genres that neighbours contradict, 1 of 2\n" in said
    assert f" {UUID(int=7)}   artist 1 – number 7\n    10 of its 10 nearest are 'rock'" in said
    assert run([*words, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [each["kind"] for each in report["looked"]] == [
        "length", "tempo", "key", "genre", "artist", "duplicate", "nobody", "everybody",
    ]  # fmt: skip
    assert [each["mbid"] for each in report["suspects"] if each["kind"] == "genre"] == [
        str(UUID(int=7)), str(UUID(int=77)),
    ]  # fmt: skip
    with pgsim.connect(crowds.info.dsn) as db:
        assert numbers(of_kind(db.suspects(), "genre")) == {7, 77}
    assert run([*words, "--labels", "genre"]) == 2
    assert "--input goes with --threads, --rows and --json alone" in capsys.readouterr().err
    assert run([*words[:-1], "--rows", "3"]) == 2
    assert "--rows goes with --input" in capsys.readouterr().err
