"""The names of metrics and settings in infrastructure/ exist. A wrong name there would fail silently."""

import re
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from scoreboard.settings.config import PREFIX, Settings
from tests.clocks import HeldClock
from tests.harness import running

INFRASTRUCTURE = Path(__file__).parents[2] / "infrastructure"
MODULES = INFRASTRUCTURE / "modules"
SOURCES = {
    str(path.relative_to(INFRASTRUCTURE)): path.read_text(encoding="utf-8")
    for path in INFRASTRUCTURE.rglob("*")
    if path.suffix in {".tf", ".tftpl", ".md"} and ".terraform" not in path.parts
}

COLLECTOR = yaml.safe_load(SOURCES["modules/service/collector.yaml.tftpl"])

Labels = dict[str, dict[str, set[str]]]
"""Values of each label, by the metric's name in CloudWatch."""


@pytest.fixture
def told(tmp_path: Path, clock: HeldClock, migrated_url: str, redis_url: str, redis_prefix: str) -> Labels:
    """Return the metrics of a server with PostgreSQL, a read replica and Redis."""
    shared: dict[str, Any] = {
        "database_url": migrated_url,
        "database_read_url": migrated_url,
        "redis_url": redis_url,
    }
    with running(tmp_path, clock, metrics_port=0, redis_prefix=redis_prefix, **shared) as scoreboard:
        scoreboard.score("ada")
        with scoreboard.watch() as watcher:
            watcher.frame()
            text = httpx2.get(scoreboard.metrics_url).text
    labels: Labels = {}
    for family in text_string_to_metric_families(text):
        # The collector exports a histogram as one metric, and a counter under the name of its samples.
        named = labels.setdefault(family.name + "_total" if family.type == "counter" else family.name, {})
        for sample in family.samples:
            for label, value in sample.labels.items():
                named.setdefault(label, set()).add(value)
    return labels


def test_each_named_metric_exists(told: Labels) -> None:
    named = {name: sorted(set(re.findall(r"\bscoreboard_[a-z_]+", text))) for name, text in SOURCES.items()}

    assert len({metric for metrics in named.values() for metric in metrics}) > 10
    assert {
        name: [metric for metric in metrics if metric not in told] for name, metrics in named.items()
    } == {name: [] for name in named}


def test_the_collector_uses_labels_that_exist(told: Labels) -> None:
    declarations = COLLECTOR["exporters"]["awsemf"]["metric_declarations"]
    for declaration in declarations:
        ((service, *split),) = declaration["dimensions"]
        assert service == "ServiceName"  # a label that the collector adds
        for selector in declaration["metric_name_selectors"]:
            metric = selector.removeprefix("^").removesuffix("$$")
            # Without the label in its dimensions, samples that differ by it would overwrite each other.
            assert set(told[metric]) - {"le"} == set(split), metric


def test_charts_and_alarms_use_label_values_that_exist(told: Labels) -> None:
    dashboard, alarms = (SOURCES[f"modules/observability/{name}.tf"] for name in ("dashboard", "alarms"))
    (pools,) = re.findall(r"^ *pools += (concat.*)$", dashboard, re.MULTILINE)

    assert set(re.findall(r'"([a-z-]+)"', pools)) == told["scoreboard_pool_connections_used"]["pool"]
    assert set(re.findall(r'partner = "([a-z]+)"', alarms)) == told["scoreboard_degraded"]["partner"]
    assert (
        set(re.findall(r'"source", "([a-z]+)"', dashboard)) == told["scoreboard_board_reads_total"]["source"]
    )


@pytest.mark.parametrize("name", SOURCES)
def test_each_named_setting_exists(name: str) -> None:
    known = {f"{PREFIX}{field}".upper() for field in Settings.model_fields}

    assert [
        setting for setting in re.findall(r"\bSCOREBOARD_[A-Z_]*[A-Z]", SOURCES[name]) if setting not in known
    ] == []


def test_the_tasks_get_settings() -> None:
    assert SOURCES["modules/service/tasks.tf"].count("SCOREBOARD_") > 5
    assert SOURCES["main.tf"].count("SCOREBOARD_") > 5
