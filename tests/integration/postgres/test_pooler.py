"""Behind a pooler in transaction mode: questions work, and whatever needs a session is refused."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

import pgsim
from pgsim import embedded
from pgsim.cli import run
from pgsim.postgres.connection import connect
from pgsim.postgres.pooler import is_pooled
from tests.support.pooler import PROGRAM, pooled_url, pooler
from tests.support.rows import one

pytestmark = pytest.mark.skipif(
    PROGRAM is None, reason="needs pgbouncer (Debian's package pgbouncer)"
)

# All that a session may keep for whoever gets it next.
_STATE = """
    SELECT
        (SELECT json_object_agg(name, setting ORDER BY name) FROM pg_settings
         WHERE source = 'session' AND name NOT LIKE 'transaction%'
         AND name NOT IN ('application_name', 'client_encoding'))::text,
        (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'),
        (SELECT count(*) FROM pg_listening_channels()),
        (SELECT count(*) FROM pg_prepared_statements),
        (SELECT count(*) FROM pg_class WHERE relpersistence = 't')
"""


@pytest.fixture(scope="module")
def transaction_pooler(server: embedded.Server, open_folder: Path) -> Iterator[int]:
    with pooler(server, open_folder, "transaction") as port:
        yield port


@pytest.fixture(scope="module")
def session_pooler(server: embedded.Server, open_folder: Path) -> Iterator[int]:
    with pooler(server, open_folder, "session") as port:
        yield port


@pytest.fixture
def direct(new_database: Callable[..., str], filled_template: str) -> str:
    """The URL of a database with 30 recordings."""
    return new_database(filled_template)


@pytest.fixture
def pooled(direct: str, transaction_pooler: int) -> str:
    """The URL of the same database, behind a pooler in transaction mode."""
    return pooled_url(transaction_pooler, str(conninfo_to_dict(direct)["dbname"]))


def states(url: str) -> set[Any]:
    """The states of all sessions of the pool, each seen in a transaction of its own."""
    with ThreadPoolExecutor(4) as pool:
        found = [pool.submit(_state, url) for _ in range(16)]
        return {each.result() for each in found}


def _state(url: str) -> Any:
    with closing(psycopg.connect(url, prepare_threshold=None)) as conn:
        row = conn.execute(_STATE.encode()).fetchone()
        conn.execute("SELECT pg_sleep(0.02)")
        return row


@pytest.mark.parametrize(
    "words",
    [
        "init",
        "init --upgrade",
        "load {}/new.ndjson",
        "redirects {}/new.csv",
        "fuse --refit",
        "index",
        "refresh",
        "refresh --follow",
        "rebuild",
        "rebuild --join",
        "rebuild --join --follow",
        "import {}/new.csv",
        "check",
        "dump {}/new.dump",
    ],
)
def test_what_needs_a_session_is_refused_in_a_line_and_leaves_nothing(
    words: str, pooled: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "new.ndjson").write_text("{}\n")
    (tmp_path / "new.csv").write_text("mbid,rank,similar_mbid,distance\n")
    before = states(pooled)
    assert run(["--database", pooled, *words.format(tmp_path).split()]) == 1
    said = capsys.readouterr()
    assert "connect to PostgreSQL directly" in said.out + said.err
    assert len((said.out + said.err).splitlines()) == (2 if words == "check" else 1)
    assert states(pooled) == before


def test_questions_and_exports_work_and_leave_every_session_as_it_was(
    direct: str, pooled: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(connect(direct, autocommit=True)) as conn:
        name = conn.info.dbname
        conn.execute(f'ALTER DATABASE "{name}" SET search_path = "$user", public, pgsim'.encode())
        seed = str(one(conn, "SELECT mbid FROM pgsim.recording ORDER BY id LIMIT 1"))
    before = states(pooled)
    answers = {}
    for url in (direct, pooled):
        answers[url] = []
        for words in (
            ["similar", seed, "-k", "5", "--json"],
            ["similar", seed, "-k", "5", "--metric", "mfccs", "--json"],
            ["status", "--json"],
            ["export", "-", "--format", "csv"],
        ):
            assert run(["--database", url, *words]) == 0
            answers[url].append(capsys.readouterr().out)
        with pgsim.connect(url) as db:
            answers[url] += [db.batch([seed], 3), db.explain(seed, seed), db.statistics(seed)]
            answers[url] += [db.nearest(db.vectors()[1][3], 4), db.find("a"), db.feature_sets()]
            answers[url] += [[part.tolist() for part in db.lists()]]
            answers[url] += [db.evaluate(sample=5, threads=1).lists]
        with pgsim.connect(url, pool=2) as db:
            answers[url] += [db.similar(seed, 3)]
    assert answers[direct] == answers[pooled]
    assert json.loads(answers[pooled][0])
    assert states(pooled) == before
    with closing(psycopg.connect(pooled)) as conn:
        assert one(conn, "SHOW search_path") == '"$user", public, pgsim'


def test_a_pooler_in_transaction_mode_is_told_from_one_in_session_mode(
    direct: str, pooled: str, session_pooler: int
) -> None:
    name = str(conninfo_to_dict(direct)["dbname"])
    for url, is_so in (
        (direct, False),
        (pooled, True),
        (pooled_url(session_pooler, name), False),
    ):
        with closing(psycopg.connect(url, autocommit=True)) as conn:
            assert is_pooled(conn) == is_so


def test_a_pooler_in_session_mode_is_as_good_as_no_pooler(
    direct: str, session_pooler: int, capsys: pytest.CaptureFixture[str]
) -> None:
    url = pooled_url(session_pooler, str(conninfo_to_dict(direct)["dbname"]))
    for words in ("refresh", "rebuild --engine exact", "check"):
        assert run(["--database", url, *words.split()]) == 0, capsys.readouterr().err
