"""promtool accepts the configuration of Prometheus, and each alarm fires when it should."""

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.programs import find_program

ROOT = Path(__file__).parents[2]


@pytest.fixture
def promtool() -> str:
    return find_program("promtool", "prometheus")


def run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_accepts_its_configuration(promtool: str) -> None:
    run(promtool, "check", "config", str(ROOT / "deploy/prometheus/prometheus.yml"))


def test_each_alarm_fires_when_it_should_and_not_earlier(promtool: str) -> None:
    run(promtool, "test", "rules", str(ROOT / "tests/e2e/alerts_test.yml"))


def test_prometheus_accepts_the_query_of_each_panel(promtool: str, tmp_path: Path) -> None:
    panels = json.loads((ROOT / "deploy/grafana/dashboards/scoreboard.json").read_text())["panels"]
    asked = [target["expr"] for panel in panels for target in panel["targets"]]
    rules = [
        {"record": f"panel_{number}", "expr": expression.replace("$__rate_interval", "1m")}
        for number, expression in enumerate(asked)
    ]
    (tmp_path / "panels.yml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    run(promtool, "check", "rules", str(tmp_path / "panels.yml"))
