"""The matrix and what keeps it true: triggers, refresh, and answers between the two."""

from contextlib import closing
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgsim.matrix.refresh import refresh
from pgsim.postgres.connection import Connection, connect
from pgsim.store.index import build_index
from tests.support.lists import exact, matrix
from tests.support.plane import insert, mbid, numbers


def stale(conn: Connection) -> list[tuple[int, str | None]]:
    """Titles' numbers of the recordings noted as stale, with their old vectors."""
    return conn.execute("SELECT id, old_vector::text FROM pgsim.stale ORDER BY event").fetchall()


def test_each_kind_of_change_to_a_vector_is_noted_once(plane: Connection) -> None:
    insert(plane, 1, 0)
    insert(plane, 2, 1)
    plane.execute("INSERT INTO pgsim.recording (mbid) VALUES (gen_random_uuid())")
    assert stale(plane) == [(1, None), (2, None)]
    plane.execute("TRUNCATE pgsim.stale")
    plane.execute("UPDATE pgsim.recording SET title = 'other'")
    plane.execute("UPDATE pgsim.recording SET vector = vector")
    assert stale(plane) == []
    plane.execute("UPDATE pgsim.recording SET vector = '[5,5]' WHERE id = 1")
    plane.execute("UPDATE pgsim.recording SET vector = NULL WHERE id = 2")
    plane.execute("DELETE FROM pgsim.recording WHERE id = 1")
    assert stale(plane) == [(1, "[0,0]"), (2, "[1,0]"), (1, "[5,5]")]


def test_copy_into_recording_is_noted_too(plane: Connection) -> None:
    with plane.cursor().copy("COPY pgsim.recording (mbid, vector) FROM STDIN") as copy:
        copy.write(f"{mbid(1)}\t[1,2]\n{mbid(2)}\t[3,4]\n".encode())
    assert stale(plane) == [(1, None), (2, None)]


def test_truncating_the_recordings_empties_the_matrix(plane: Connection) -> None:
    insert(plane, 1, 0)
    insert(plane, 2, 1)
    refresh(plane)
    plane.execute("TRUNCATE pgsim.recording")
    assert matrix(plane) == []
    assert stale(plane) == []


def test_a_vector_of_the_wrong_length_is_refused(plane: Connection) -> None:
    with pytest.raises(psycopg.errors.DataException, match="expected 2 dimensions, not 3"):
        plane.execute(
            "INSERT INTO pgsim.recording (mbid, vector) VALUES (gen_random_uuid(), '[1,2,3]')"
        )


def test_refresh_makes_a_list_for_each_recording_with_a_vector(plane: Connection) -> None:
    for number, x in enumerate((0, 1, 3, 7), start=1):
        insert(plane, number, x)
    plane.execute("INSERT INTO pgsim.recording (mbid) VALUES (gen_random_uuid())")
    report = refresh(plane)
    assert (report.changed, report.lists) == (4, 4)
    assert matrix(plane) == [
        (1, [2, 3, 4], [1, 3, 7], pytest.approx(11 / 3)),
        (2, [1, 3, 4], [1, 2, 6], 3),
        (3, [2, 1, 4], [2, 3, 4], 3),
        (4, [3, 2, 1], [4, 6, 7], pytest.approx(17 / 3)),
    ]
    assert stale(plane) == []


def test_refresh_makes_only_the_touched_lists_anew(plane: Connection) -> None:
    plane.execute("UPDATE pgsim.collection SET list_length = 50")
    for number in range(1, 121):
        insert(plane, number, number if number <= 60 else 1000 + number)
    refresh(plane)
    assert refresh(plane).lists == 0
    insert(plane, 121, 30.5)
    assert refresh(plane).lists == 61
    assert matrix(plane) == exact(plane)
    plane.execute("DELETE FROM pgsim.recording WHERE id = 61")
    # Those next to it held it, up to 25 away, where one of two at that distance is in a list of 50.
    assert refresh(plane).lists == 25
    assert matrix(plane) == exact(plane)


def test_a_list_shows_as_rows_with_mbids(plane: Connection) -> None:
    for number, x in enumerate((0, 1, 3), start=1):
        insert(plane, number, x)
    refresh(plane)
    rows = plane.execute(
        "SELECT rank, similar_mbid, distance FROM pgsim.similarity_matrix WHERE mbid = %s"
        " ORDER BY rank",
        (mbid(1),),
    ).fetchall()
    assert rows == [(1, mbid(2), 1), (2, mbid(3), 3)]


def test_the_view_takes_updates_as_a_table_would(plane: Connection) -> None:
    plane.execute("INSERT INTO pgsim.similarity VALUES (1, '{2}', '{0.5}', 0.5)")
    plane.execute(
        "INSERT INTO pgsim.similarity VALUES (1, '{3}', '{0.25}', 0.25)"
        " ON CONFLICT (id) DO UPDATE SET neighbours = excluded.neighbours"
    )
    rows = plane.execute("SELECT * FROM pgsim.similarity").fetchall()
    assert rows == [(1, [3], [0.5], 0.5)]


@pytest.fixture
def crowd(plane: Connection) -> Connection:
    """150 recordings on a line at 0, 1, 2, …, with their lists: enough that lists answer."""
    for number in range(1, 151):
        insert(plane, number, number)
    refresh(plane)
    return plane


def test_a_new_recording_is_found_before_any_refresh(crowd: Connection) -> None:
    insert(crowd, 900, 10.25)
    assert numbers(crowd, 10, 3, ", ranking => 'distance'") == [900, 9, 11]
    assert numbers(crowd, 900, 3, ", ranking => 'distance'") == [10, 11, 9]
    assert 900 in numbers(crowd, 10, 3)


def test_a_deleted_recording_is_never_found_again(crowd: Connection) -> None:
    crowd.execute("DELETE FROM pgsim.recording WHERE mbid = %s", (mbid(11),))
    assert numbers(crowd, 10, 3, ", ranking => 'distance'") == [9, 8, 12]
    assert 11 not in numbers(crowd, 10, 40)


def test_a_moved_recording_is_found_where_it_is_now(crowd: Connection) -> None:
    crowd.execute("UPDATE pgsim.recording SET vector = '[140.5,0]' WHERE mbid = %s", (mbid(9),))
    assert numbers(crowd, 10, 2, ", ranking => 'distance'") == [11, 8]
    assert numbers(crowd, 140, 1, ", ranking => 'distance'") == [9]
    assert numbers(crowd, 9, 2, ", ranking => 'distance'") == [140, 141]


def test_a_changed_title_or_year_shows_at_once(crowd: Connection) -> None:
    crowd.execute("UPDATE pgsim.recording SET title = 'new', year = 1999 WHERE id = 11")
    row = crowd.execute(
        "SELECT mbid, title FROM similar_recordings(%s, 1, decade => 1990)", (mbid(10),)
    ).fetchone()
    assert row == (mbid(11), "new")


def test_thousands_of_pending_recordings_are_all_answered_for(crowd: Connection) -> None:
    crowd.execute(
        "INSERT INTO pgsim.recording (mbid, vector)"
        " SELECT gen_random_uuid(), format('[%s,50]', i)::public.vector"
        " FROM generate_series(1, 2000) AS i"
    )
    crowd.execute("DELETE FROM pgsim.recording WHERE mbid = %s", (mbid(11),))
    assert numbers(crowd, 10, 3, ", ranking => 'distance'") == [9, 8, 12]


def test_a_refresh_in_sql_inside_a_transaction_says_what_to_do(plane: Connection) -> None:
    plane.execute("BEGIN")
    plane.execute("SELECT pg_sleep(0.2)")
    with pytest.raises(psycopg.Error, match="cannot be called inside"):
        plane.execute("CALL pgsim.refresh_similarity()")


def test_ties_go_by_mbid_whether_listed_or_live(plane: Connection) -> None:
    for number in (5, 3, 9, 1, 7):
        insert(plane, number, 1)
    insert(plane, 100, 0)
    live = numbers(plane, 100, 5)
    refresh(plane)
    assert live == numbers(plane, 100, 5) == [1, 3, 5, 7, 9]


@pytest.mark.parametrize("how", ["python", "sql"])
def test_ties_at_the_end_of_a_list_go_by_mbid_too(plane: Connection, how: str) -> None:
    plane.execute("UPDATE pgsim.collection SET list_length = 50")
    for number in range(1, 71):
        insert(plane, number, 1)
    insert(plane, 500, 0)
    refresh(plane)
    plane.execute("DELETE FROM pgsim.recording WHERE mbid = %s", (mbid(3),))
    insert(plane, 900, 1)
    wanted = [1, 2, *range(4, 52)]
    assert numbers(plane, 500, 50, ", ranking => 'distance'") == wanted
    if how == "sql":
        plane.execute("CALL pgsim.refresh_similarity()")
    else:
        refresh(plane)
    assert numbers(plane, 500, 50, ", ranking => 'distance'") == wanted
    assert matrix(plane) == exact(plane)


def test_similarities_are_those_of_now_however_many_changes_are_pending(crowd: Connection) -> None:
    question = "SELECT mbid, similarity FROM similar_recordings(%s, 10)"
    crowd.execute(
        "INSERT INTO pgsim.recording (mbid, vector)"
        " SELECT gen_random_uuid(), format('[%s,9]', i)::public.vector"
        " FROM generate_series(1, 600) AS i"
    )
    refresh(crowd)
    before = crowd.execute(question, (mbid(10),)).fetchall()
    # All at ten times the scale: distances and reaches alike, so that no similarity changes.
    crowd.execute("UPDATE pgsim.recording SET vector = vector OPERATOR(public.*) '[10,10]'")
    pending = crowd.execute(question, (mbid(10),)).fetchall()
    assert [row[0] for row in pending] == [row[0] for row in before]
    assert [row[1] for row in pending] == pytest.approx([row[1] for row in before], rel=1e-5)


def test_a_recording_whose_id_is_given_anew_is_found_at_once(crowd: Connection) -> None:
    crowd.execute("UPDATE pgsim.recording SET id = DEFAULT WHERE mbid = %s", (mbid(11),))
    assert numbers(crowd, 10, 2, ", ranking => 'distance'") == [9, 11]
    refresh(crowd)
    assert numbers(crowd, 11, 2, ", ranking => 'distance'") == [10, 12]


def test_a_recording_far_out_is_refused_or_harmless(plane: Connection) -> None:
    for number in range(1, 4):
        insert(plane, number, number)
    insert(plane, 4, 9e11)
    refresh(plane)
    assert numbers(plane, 1, 3, ", ranking => 'distance'") == [2, 3, 4]
    with pytest.raises(psycopg.errors.CheckViolation, match="vector_is_shorter_than_1e12"):
        insert(plane, 5, 1e18)


def test_a_role_that_may_only_write_recordings_needs_no_right_to_stale(plane: Connection) -> None:
    plane.execute("DROP ROLE IF EXISTS scribe")
    plane.execute("CREATE ROLE scribe")
    plane.execute("GRANT USAGE ON SCHEMA pgsim TO scribe")
    plane.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON pgsim.recording TO scribe")
    with plane.transaction():
        plane.execute("SET LOCAL ROLE scribe")
        insert(plane, 1, 0)
        plane.execute("DELETE FROM pgsim.recording")
    assert len(stale(plane)) == 2
    plane.execute("DROP OWNED BY scribe")
    plane.execute("DROP ROLE scribe")


def test_hundreds_of_copies_are_answered_by_mbid_live_too(plane: Connection) -> None:
    plane.execute(
        "INSERT INTO pgsim.recording (mbid, vector)"
        " SELECT lpad(to_hex(1000 - i), 32, '0')::uuid, '[1,0]' FROM generate_series(1, 400) AS i"
        " UNION ALL SELECT gen_random_uuid(), format('[%s,50]', i)::public.vector"
        " FROM generate_series(1, 1500) AS i"
    )
    insert(plane, 1, 0)
    build_index(plane)
    plane.execute("ANALYZE pgsim.recording")
    assert numbers(plane, 1, 5, ", ranking => 'distance'") == [600, 601, 602, 603, 604]


def test_exact_copies_are_similar_without_end_and_strangers_not_at_all(plane: Connection) -> None:
    for number in range(1, 61):
        insert(plane, number, 0)
    insert(plane, 61, 5)
    refresh(plane)
    rows = plane.execute(
        "SELECT mbid, similarity FROM similar_recordings(%s, 60)", (mbid(1),)
    ).fetchall()
    assert {similarity for number, similarity in rows if number.int <= 60} == {1}
    assert rows[-1] == (mbid(61), 0)


def test_one_recording_alone_has_an_empty_answer(plane: Connection) -> None:
    insert(plane, 1, 0)
    assert numbers(plane, 1) == []
    refresh(plane)
    assert matrix(plane) == [(1, [], [], None)]
    assert numbers(plane, 1) == []


def test_a_recording_without_a_vector_is_refused_as_a_seed(plane: Connection) -> None:
    plane.execute("INSERT INTO pgsim.recording (mbid) VALUES (%s)", (mbid(1),))
    with pytest.raises(psycopg.Error, match="has no vector"):
        numbers(plane, 1)


def test_same_genre_and_same_decade_follow_the_seed(plane: Connection) -> None:
    for number, (genre, year) in enumerate(
        [("roc", 1991), ("roc", 1985), ("jaz", 1992), ("roc", 1999)], start=1
    ):
        insert(plane, number, number)
        plane.execute(
            "UPDATE pgsim.recording SET genre = %s, year = %s WHERE id = %s", (genre, year, number)
        )
    assert numbers(plane, 1, 10, ", same_genre => true") == [2, 4]
    assert numbers(plane, 1, 10, ", same_decade => true") == [3, 4]
    assert numbers(plane, 1, 10, ", same_genre => true, same_decade => true") == [4]
    assert numbers(plane, 1, 10, ", same_genre => true, genre => 'rosamerica:roc'") == [2, 4]
    with pytest.raises(psycopg.Error, match="same_genre: the genre of recording .* is 'roc'"):
        numbers(plane, 1, 10, ", same_genre => true, genre => 'jaz'")
    insert(plane, 9, 9)
    with pytest.raises(psycopg.Error, match="same_decade: recording .* has no year"):
        numbers(plane, 9, 10, ", same_decade => true")


def test_an_insert_that_commits_during_a_refresh_is_stale_after_it(
    plane: Connection,
) -> None:
    insert(plane, 1, 0)
    insert(plane, 2, 1)
    with closing(connect(plane.info.dsn)) as other:
        insert(other, 3, 0.5)  # not yet committed
        refresh(plane)
        other.commit()
    assert [id_ for id_, _ in stale(plane)] == [3]
    refresh(plane)
    assert matrix(plane) == exact(plane)


def test_a_refresh_that_is_rolled_back_loses_nothing(plane: Connection) -> None:
    insert(plane, 1, 0)
    insert(plane, 2, 1)
    with plane.transaction(force_rollback=True):
        plane.execute("SELECT pgsim.refresh_batch(10)")
    assert len(stale(plane)) == 2
    refresh(plane)
    assert matrix(plane) == exact(plane)


# A place is one of a few, so that ties and copies come often.
PLACES = st.tuples(st.integers(0, 3), st.integers(0, 1))
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("insert"), PLACES),
        st.tuples(st.just("move"), st.tuples(st.integers(0, 60), PLACES)),
        st.tuples(st.just("forget"), st.integers(0, 60)),
        st.tuples(st.just("delete"), st.integers(0, 60)),
        st.tuples(st.just("refresh"), st.none()),
        st.tuples(st.just("refresh in SQL"), st.none()),
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=12, deadline=None)
@given(steps=STEPS, list_length=st.sampled_from([50, 100]), start=st.lists(PLACES, max_size=90))
def test_whatever_happens_a_refresh_ends_with_the_exact_matrix(
    plane: Connection,
    monkeypatch: pytest.MonkeyPatch,
    steps: list[Any],
    list_length: int,
    start: list[tuple[int, int]],
) -> None:
    # Blocks of several parts.
    monkeypatch.setattr("pgsim.matrix.refresh.BLOCK", 7)
    monkeypatch.setattr("pgsim.matrix.refresh.PART", 2)
    plane.execute("TRUNCATE pgsim.recording RESTART IDENTITY")
    plane.execute("UPDATE pgsim.collection SET list_length = %s", (list_length,))
    number = 0
    for step, argument in [*(("insert", place) for place in start), ("refresh", None), *steps]:
        if step == "insert":
            number += 1
            # Neither in the order of ids nor of time.
            insert(plane, (number * 37) % 101, *argument)
        elif step == "move":
            plane.execute(
                "UPDATE pgsim.recording SET vector = %s::public.vector WHERE id = %s",
                (str(list(argument[1])), argument[0]),
            )
        elif step == "forget":
            plane.execute("UPDATE pgsim.recording SET vector = NULL WHERE id = %s", (argument,))
        elif step == "delete":
            plane.execute("DELETE FROM pgsim.recording WHERE id = %s", (argument,))
        elif step == "refresh":
            refresh(plane)
        else:
            plane.execute("CALL pgsim.refresh_similarity()")
        seed = plane.execute(
            "SELECT id, mbid FROM pgsim.recording WHERE vector IS NOT NULL"
            " ORDER BY md5(id::text || %s) LIMIT 1",
            (str(number),),
        ).fetchone()
        if seed:
            for k in (5, 50):
                found = numbers(plane, seed[1].int, k, ", ranking => 'distance'")
                assert len(set(found)) == len(found)
                assert found == true_neighbours(plane, seed[0], k)
    refresh(plane)
    assert matrix(plane) == exact(plane)
    assert stale(plane) == []


def true_neighbours(conn: Connection, seed: int, k: int) -> list[int]:
    rows = conn.execute(
        "SELECT o.mbid FROM pgsim.recording AS o, pgsim.recording AS r"
        " WHERE r.id = %s AND o.id <> r.id AND o.vector IS NOT NULL"
        " ORDER BY pgsim.l2(o.vector, r.vector)::real, o.mbid LIMIT %s",
        (seed, k),
    )
    return [each.int for (each,) in rows]
