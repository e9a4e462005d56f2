"""The map of a collection: made, measured, asked, and kept up to date."""

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest

from pgsim.cli import run
from pgsim.database.database import Database
from pgsim.errors import PgsimError
from pgsim.evaluation.places import evaluate_map
from pgsim.mapping.map import make_map
from pgsim.matrix.refresh import refresh
from pgsim.postgres.connection import Connection, connect
from pgsim.store.check import run_checks
from pgsim.store.places import read_places
from pgsim.store.vectors import read_vectors
from pgsim.transfer.dump import dump, restore
from tests.support.rows import one

PLACES = "SELECT id, x, y FROM pgsim.map_position ORDER BY id"
# What map_recordings() is to return, from all places.
DEFINITION = """
    SELECT r.mbid FROM pgsim.map_position AS p INNER JOIN pgsim.recording AS r ON p.id = r.id
    WHERE r.vector IS NOT NULL
        AND p.x >= %s::real AND p.x <= %s::real AND p.y >= %s::real AND p.y <= %s::real
    ORDER BY hashint4(p.id), p.id LIMIT %s
"""


def nearest(points: np.ndarray, k: int) -> np.ndarray:
    """The slow, obvious way: all distances."""
    apart = np.linalg.norm(points[:, None].astype(np.float64) - points, axis=2)
    np.fill_diagonal(apart, np.inf)
    return np.argsort(apart, axis=1, kind="stable")[:, :k]


def lies_near_its_like(conn: Connection, id_: int) -> bool:
    """Whether one of a recording's ten nearest in sound is among its twenty nearest on the map."""
    ids, places = read_places(conn)
    own = int(np.searchsorted(ids, id_))
    near = ids[np.argsort(np.linalg.norm(places - places[own], axis=1))[:20]]
    listed = one(conn, "SELECT neighbours[:10] FROM pgsim.similarity WHERE id = %s", id_)
    return bool(set(listed) & (set(near.tolist()) - {id_}))


def copy_of(conn: Connection, id_: int, number: int) -> int:
    """A new recording with the vector of another."""
    return int(
        one(
            conn,
            "INSERT INTO pgsim.recording (mbid, title, vector)"
            " SELECT gen_random_uuid(), 'new ' || %s, vector FROM pgsim.recording WHERE id = %s"
            " RETURNING id",
            number,
            id_,
        )
    )


def test_the_quality_is_that_of_all_pairs_and_far_above_chance(mapped: Connection) -> None:
    found = evaluate_map(mapped, sample=1000)
    ids, places = read_places(mapped)
    vectors = read_vectors(mapped)
    assert (ids == vectors.ids).all()
    shares = [
        len(set(on_map) & set(in_sound)) / 10
        for on_map, in_sound in zip(
            nearest(places, 10).tolist(), nearest(vectors.vectors, 100).tolist(), strict=True
        )
    ]
    # Ties among the hundredth may go either way.
    assert found.found == pytest.approx(np.mean(shares), abs=0.002)
    assert found.low == found.high == found.found
    assert found.chance == pytest.approx(100 / 499)
    assert found.found > 0.7
    part = evaluate_map(mapped, sample=100, seed=1)
    assert part.low < part.found < part.high
    assert part.found == pytest.approx(found.found, abs=0.05)


@pytest.mark.parametrize("k", [1, 7, 1000])
def test_a_rectangle_holds_an_even_sample_of_what_lies_in_it(mapped: Connection, k: int) -> None:
    rng = np.random.default_rng(k)
    xs, ys = np.sort(rng.uniform(-1.2, 1.2, (2, 12, 2)), axis=2)
    for bounds in [(*x, *y) for x, y in zip(xs, ys, strict=True)] + [(-1.0, 1.0, -1.0, 1.0)]:
        asked = mapped.execute(
            "SELECT mbid FROM pgsim.map_recordings(%s, %s, %s, %s, %s)", (*bounds, k)
        ).fetchall()
        assert asked == mapped.execute(DEFINITION, (*bounds, k)).fetchall()


def test_a_bound_of_the_rows_own_places_keeps_them(mapped: Connection) -> None:
    with Database(mapped.info.dsn) as db:
        [first, *_] = db.map_recordings(k=3)
        assert first in db.map_recordings(first.x, first.x, first.y, first.y)


def test_a_deleted_recording_is_gone_at_once_and_k_others_are_left(mapped: Connection) -> None:
    query = "SELECT mbid FROM pgsim.map_recordings(k => 5)"
    before = mapped.execute(query).fetchall()
    mapped.execute("DELETE FROM pgsim.recording WHERE mbid = %s", before[0])
    after = mapped.execute(query).fetchall()
    assert after[:4] == before[1:]
    assert len(after) == 5
    refresh(mapped)
    assert one(mapped, "SELECT count(*) FROM pgsim.map_position") == 499


@pytest.mark.parametrize("way", ["refresh", "SQL"])
def test_a_refresh_places_what_is_new_or_changed_among_its_like(
    mapped: Connection, way: str
) -> None:
    new = [copy_of(mapped, 7, 1), copy_of(mapped, 7, 2), copy_of(mapped, 400, 3)]
    mapped.execute(
        "UPDATE pgsim.recording SET vector = (SELECT vector FROM pgsim.recording WHERE id = 300)"
        " WHERE id = 20"
    )
    before = {row[0]: row for row in mapped.execute(PLACES)}
    refresh(mapped) if way == "refresh" else mapped.execute("CALL pgsim.refresh_similarity()")
    after = {row[0]: row for row in mapped.execute(PLACES)}
    assert {id_ for id_ in after if after[id_] != before.get(id_)} == {*new, 20}
    assert all(lies_near_its_like(mapped, id_) for id_ in (*new, 20))


def test_recordings_without_a_place_are_counted_found_and_placed(
    mapped: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    mapped.execute("DELETE FROM pgsim.map_position WHERE id BETWEEN 100 AND 139")
    status = dict(mapped.execute("SELECT item, number FROM pgsim.status()").fetchall())
    assert status["places on the map"] == 460
    assert status["recordings without a place"] == 40
    wrong = {each.check: each for each in run_checks(mapped) if each.level != "ok"}
    assert wrong["every_vector_is_on_the_map"].wrong == "40 vectors have no place on the map"
    assert run(["--database", mapped.info.dsn, "map", "--new", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["recordings"], report["placed"], report["without"]) == (500, 40, 0)
    assert evaluate_map(mapped).found > 0.7
    [finding] = [each for each in run_checks(mapped) if each.check == "every_vector_is_on_the_map"]
    assert finding.wrong is None


def test_a_map_that_is_stopped_leaves_the_old_one_and_a_seed_makes_another(
    mapped: Connection,
) -> None:
    before = mapped.execute(PLACES).fetchall()

    def stop(done: int, share: float | None = None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_map(mapped, seed=1, advance=stop)
    assert mapped.execute(PLACES).fetchall() == before
    make_map(mapped)
    assert mapped.execute(PLACES).fetchall() == before
    make_map(mapped, seed=1)
    assert mapped.execute(PLACES).fetchall() != before


def test_without_a_map_or_lists_the_cure_is_named(
    conn: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    notices: list[Any] = []
    conn.add_notice_handler(lambda notice: notices.append(notice.message_primary))
    assert conn.execute("SELECT * FROM pgsim.map_recordings()").fetchall() == []
    assert notices == ["there is no map: pgsim map makes one"]
    with pytest.raises(PgsimError, match="no lists to make a map of: pgsim rebuild"):
        make_map(conn)
    for arguments in (["map", "--new"], ["evaluate", "--map"]):
        assert run(["--database", conn.info.dsn, *arguments]) == 1
        assert "there is no map: pgsim map makes one" in capsys.readouterr().err
    assert run(["--database", conn.info.dsn, "evaluate", "--map", "--labels", "genre"]) == 2


@pytest.mark.parametrize(
    ("bounds", "said"),
    [
        ("x_from => 0.5, x_to => 0.25", "no x is both from 0.5 and to 0.25"),
        ("y_to => 'NaN'", "y_to is NaN, but must be a number"),
        ("k => 0", "k is 0, but must be from 1 to 100000"),
    ],
)
def test_bounds_that_nothing_can_match_are_refused(
    conn: Connection, bounds: str, said: str
) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match=said):
        conn.execute(f"SELECT * FROM pgsim.map_recordings({bounds})".encode())


def test_the_map_is_emptied_with_the_collection(mapped: Connection) -> None:
    mapped.execute("TRUNCATE pgsim.recording")
    assert one(mapped, "SELECT count(*) FROM pgsim.map_position") == 0


def test_a_dump_holds_the_map_and_new_recordings_are_placed_on_the_restored_one(
    mapped: Connection, new_database: Callable[..., str], vector_template: str, tmp_path: Path
) -> None:
    target = new_database(vector_template)
    dump(mapped.info.dsn, tmp_path / "mapped.dump")
    restore(target, tmp_path / "mapped.dump")
    rectangle = "SELECT * FROM pgsim.map_recordings(-0.5, 0.5, -0.5, 0.5, 50)"
    with closing(connect(target, autocommit=True)) as other:
        assert other.execute(PLACES).fetchall() == mapped.execute(PLACES).fetchall()
        assert other.execute(rectangle).fetchall() == mapped.execute(rectangle).fetchall()
        new = copy_of(other, 7, 1)
        refresh(other)
        assert lies_near_its_like(other, new)
        assert evaluate_map(other).without == 0


@pytest.mark.parametrize("colour", ["genre", "decade"])
def test_the_map_is_drawn(mapped: Connection, tmp_path: Path, colour: str) -> None:
    file = tmp_path / "map.svg"
    with Database(mapped.info.dsn) as db:
        db.plot_map(file, colour=colour)
        with pytest.raises(PgsimError, match="unknown colour 'year'; known: genre, decade"):
            db.plot_map(file, colour="year")
    assert "<svg" in file.read_text()
