"""The lists beside a table of similar recordings of another origin."""

import json
from collections.abc import Callable
from contextlib import closing

import pytest

import pgsim
from pgsim.cli import run
from pgsim.evaluation.agreement import evaluate_against
from pgsim.postgres.connection import connect


@pytest.fixture
def url(new_database: Callable[..., str], filled_template: str) -> str:
    """Thirty recordings with their lists, and a table of scores, some of them of strangers."""
    url = new_database(filled_template)
    with closing(connect(url, autocommit=True)) as conn:
        conn.execute(
            """
            CREATE SCHEMA "Other";
            CREATE TABLE "Other".recording (mbid0 uuid, mbid1 uuid, score integer);
            INSERT INTO "Other".recording
            SELECT a.mbid, b.mbid, hashtext(a.mbid::text || b.mbid) % 50
            FROM pgsim.recording AS a INNER JOIN pgsim.recording AS b ON a.mbid < b.mbid
            WHERE a.id % 7 <> 0;
            INSERT INTO "Other".recording
            SELECT mbid, gen_random_uuid(), 1000 FROM pgsim.recording
            """
        )
    return url


@pytest.mark.parametrize("k", [1, 3, 10])
def test_the_agreement_is_the_share_of_their_best_among_our_nearest(url: str, k: int) -> None:
    with closing(connect(url, autocommit=True)) as conn:
        found = evaluate_against(conn, '"Other".recording', k)
        rows = conn.execute(
            b'SELECT a.id, b.id, score FROM "Other".recording, pgsim.recording AS a,'
            b" pgsim.recording AS b WHERE a.mbid = mbid0 AND b.mbid = mbid1"
        ).fetchall()
        lists = dict(conn.execute(b"SELECT id, neighbours FROM pgsim.similarity").fetchall())
    scores: dict[int, list[tuple[int, int]]] = {}
    for one, other, score in rows:
        scores.setdefault(one, []).append((-score, other))
        scores.setdefault(other, []).append((-score, one))
    shares = []
    for seed, others in scores.items():
        best = {other for _, other in sorted(others)[:k]}
        shares.append(len(best & set(lists[seed][:k])) / len(best))
    assert found.agreement == pytest.approx(sum(shares) / len(shares))
    assert (found.known, found.pairs) == (len(rows), len(rows) + 30)
    assert found.recordings == len(scores)
    assert found.chance == pytest.approx(k / 29)


def test_the_lists_agree_with_themselves(url: str) -> None:
    with closing(connect(url, autocommit=True)) as conn:
        conn.execute(
            b"CREATE TABLE public.ours AS SELECT mbid AS mbid0, similar_mbid AS mbid1,"
            b" 1 / (distance + 1) AS score FROM pgsim.similarity_matrix WHERE mbid < similar_mbid"
        )
        assert evaluate_against(conn, "public.ours").agreement == 1


def test_a_table_that_cannot_be_compared_is_named(url: str) -> None:
    with closing(connect(url, autocommit=True)) as conn:
        for name in ("public.nothing", "a b c", "", 'x"; DROP TABLE pgsim.recording'):
            with pytest.raises(pgsim.UsageError, match="there is no table"):
                evaluate_against(conn, name)
        with pytest.raises(pgsim.PgsimError, match="other columns than mbid0, mbid1 and score"):
            evaluate_against(conn, "pgsim.recording")


def test_evaluate_prints_the_agreement(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    name = '"Other".recording'
    assert run(["--database", url, "evaluate", "--against", name, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert run(["--database", url, "evaluate", "--against", name]) == 0
    printed = capsys.readouterr().out
    assert f"{found['agreement']:.4f} are among the 10 nearest" in printed
    for stranger in (["--map"], ["--sample", "9"]):
        assert run(["--database", url, "evaluate", "--against", name, *stranger]) == 2
        error = capsys.readouterr().err
        assert f"--against goes with --json alone, not with {stranger[0]}" in error
