"""A running server has every metric, label and route that the dashboard and the alarms query."""

import json
import re
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.harness import running

DEPLOY = Path(__file__).parents[2] / "deploy"
DASHBOARD = json.loads((DEPLOY / "grafana/dashboards/scoreboard.json").read_text())
RULES = [
    rule
    for group in yaml.safe_load((DEPLOY / "prometheus/alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]

EXPRESSIONS = {
    **{
        f"panel {panel['id']}.{number}: {panel['title']}": target["expr"]
        for panel in DASHBOARD["panels"]
        for number, target in enumerate(panel["targets"])
    },
    **{f"alarm {rule['alert']}": rule["expr"] for rule in RULES},
}

SAMPLES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_count", "_sum")}
"""The suffixes that the names of a metric's samples may have."""

ADDED_BY_PROMETHEUS = {"instance", "job", "le"}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Return the labels of each sample of a running server, by the sample's name."""
    with running(tmp_path_factory.mktemp("told"), metrics_port=0) as scoreboard:
        scoreboard.score("ada")
        for _ in range(11):
            scoreboard.score("bob")  # a refused submission creates the samples of refusals
        with scoreboard.watch() as watcher:
            watcher.frame()
            text = httpx2.get(scoreboard.metrics_url).text
    labels: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        labels |= {family.name + ending: set() for ending in SAMPLES.get(family.type, ())}
        for sample in family.samples:
            labels.setdefault(sample.name, set()).update(sample.labels)
    # An embedded server has no pools.
    for pools in ("scoreboard_pool_connections_used", "scoreboard_pool_connections_most"):
        labels[pools] = {"pool"}
    return labels


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_each_queried_metric_exists(told: dict[str, set[str]], name: str) -> None:
    expression = EXPRESSIONS[name]
    asked = re.findall(r"\b((?:scoreboard|process)_[a-z_]+)(?:\{([^}]*)\})?", expression)
    assert asked or expression.startswith("up{")
    for metric, selected in asked:
        assert metric in told
        assert {part.strip() for part in re.findall(r"([a-z_]+)\s*[=!]~?", selected)} <= told[
            metric
        ] | ADDED_BY_PROMETHEUS
    known = set().union(*(told[metric] for metric, _ in asked)) | ADDED_BY_PROMETHEUS | {"partner"}
    for by in re.findall(r"by \(([^)]*)\)", expression):
        assert {label.strip() for label in by.split(",")} <= known


def test_alarms_have_the_promised_thresholds() -> None:
    found = {rule["alert"]: (rule["expr"].rpartition(" > ")[2].strip(), rule["for"]) for rule in RULES}
    assert found["ErrorRate"] == ("0.05", "5m")
    assert found["Latency"][0] == "0.5"
    assert found["PoolNearlyUsedUp"][0] == "0.8"


def test_panels_do_not_overlap() -> None:
    taken = [
        (x, y)
        for position in (panel["gridPos"] for panel in DASHBOARD["panels"])
        for x in range(position["x"], position["x"] + position["w"])
        for y in range(position["y"], position["y"] + position["h"])
    ]
    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < 24
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


def test_each_queried_route_exists(tmp_path: Path) -> None:
    asked = {route for text in EXPRESSIONS.values() for route in re.findall(r'route="([^"]*)"', text)}
    with running(tmp_path) as scoreboard:
        paths: dict[str, Any] = scoreboard.client.get("/openapi.json").json()["paths"]
    assert asked
    assert asked <= set(paths)
