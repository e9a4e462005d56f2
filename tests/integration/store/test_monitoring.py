"""The dashboard and the alerts: they ask for what pgsim.metrics has, and their programs agree."""

import json
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from pgsim.matrix.refresh import refresh
from pgsim.postgres.connection import Connection
from pgsim.store.runs import recorded
from tests.support.audio import needs_program
from tests.support.monitoring import (
    DASHBOARD,
    EXPORTER,
    MONITORING,
    dashboard,
    exporter,
    free_address,
    names_in,
    page,
    queries,
)
from tests.support.plane import insert


@pytest.fixture
def watched(plane: Connection) -> Connection:
    """A collection of which everything was measured once."""
    for number in range(1, 61):
        insert(plane, number, number)
    with recorded(plane, "refresh"):
        refresh(plane)
    plane.execute("SELECT * FROM pgsim.measure_recall(5)")
    return plane


def test_dashboard_and_alerts_ask_for_what_there_is(watched: Connection) -> None:
    rows = watched.execute("SELECT DISTINCT name FROM pgsim.metrics")
    there = {name for (name,) in rows}
    asked = names_in("\n".join(queries()))
    alerts = names_in((MONITORING / "alerts.yaml").read_text(encoding="utf-8"))
    assert len(asked) > 15
    assert len(alerts) > 7
    assert asked | alerts <= there
    assert names_in((MONITORING / "alerts_test.yaml").read_text(encoding="utf-8")) >= alerts


def test_the_dashboard_is_one_by_grafanas_own_schema() -> None:
    register_default_plugins()
    whole = dashboard()
    read = json.loads(json.dumps(Dashboard.from_json(whole), cls=JSONEncoder))

    def is_kept(given: Any, kept: Any) -> bool:
        if isinstance(given, dict):
            return all(name in kept and is_kept(each, kept[name]) for name, each in given.items())
        if isinstance(given, list):
            return len(given) == len(kept) and all(map(is_kept, given, kept))
        return bool(given == kept)

    assert is_kept(whole, read)
    places = [panel["gridPos"] for panel in whole["panels"]]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    assert len({panel["id"] for panel in whole["panels"]}) == len(places)
    assert DASHBOARD.read_text(encoding="utf-8").endswith("}\n")


@needs_program("promtool")
def test_promtool_accepts_the_alerts_and_the_queries(tmp_path: Path) -> None:
    """Each query of the dashboard is tried as a rule, since promtool reads rules."""
    rules = [{"record": f"query:{place}", "expr": expr} for place, expr in enumerate(queries())]
    groups = {"groups": [{"name": "dashboard", "rules": rules}]}
    (tmp_path / "queries.yaml").write_text(json.dumps(groups))
    for command in (
        ["check", "rules", MONITORING / "alerts.yaml", tmp_path / "queries.yaml"],
        ["test", "rules", MONITORING / "alerts_test.yaml"],
    ):
        done = subprocess.run(["promtool", *command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@needs_program("prometheus")
@needs_program(EXPORTER)
def test_prometheus_answers_every_query_of_the_dashboard(
    watched: Connection, tmp_path: Path
) -> None:
    with exporter(watched) as source:
        scrape = {"job_name": "pgsim", "static_configs": [{"targets": [source]}]}
        config = {"global": {"scrape_interval": "1s"}, "scrape_configs": [scrape]}
        (tmp_path / "prometheus.yaml").write_text(json.dumps(config))
        address = free_address()
        command = [
            "prometheus",
            f"--config.file={tmp_path / 'prometheus.yaml'}",
            f"--storage.tsdb.path={tmp_path / 'data'}",
            f"--web.listen-address={address}",
        ]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            try:
                found: dict[str, list[Any]] = {}
                for _ in range(200):
                    for query in queries():
                        url = f"http://{address}/api/v1/query?query={quote(query)}"
                        found[query] = json.loads(page(url))["data"]["result"]
                    if all(found.values()):
                        break
            finally:
                process.terminate()
    assert [query for query, result in found.items() if not result] == []
