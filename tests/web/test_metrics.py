"""Metrics, on their own port."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from scoreboard.domain.errors import StartError
from scoreboard.server import connection_limits as limits
from tests.clocks import HeldClock
from tests.harness import Running, running
from tests.limits import LIMIT_SECONDS


def scraped(scoreboard: Running) -> dict[str, float]:
    """Return all samples, by name and labels."""
    return {
        sample.name.removeprefix("scoreboard_")
        + "".join(f" {value}" for value in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(httpx2.get(scoreboard.metrics_url).text)
        for sample in family.samples
    }


def test_all_events_are_counted(tmp_path: Path, deployment: dict[str, Any]) -> None:
    clock = HeldClock()
    with running(tmp_path, clock, metrics_port=0, **deployment) as scoreboard:
        with scoreboard.watch("/api/leaderboard/stream?delta=1") as patched, scoreboard.watch() as watcher:
            patched.fields()
            watcher.frame()
            for _ in range(10):
                assert scoreboard.score("ada").status_code == 201
                watcher.frame()
            assert scoreboard.score("ada").status_code == 429
            assert scoreboard.score("ada").status_code == 429
            assert scoreboard.board()["version"] == 10
            scoreboard.client.get("/no-such-page")
            scoreboard.client.request("PURGE", "/no-such-page")
            seen = scraped(scoreboard)
            assert seen["streams"] == 2
        assert seen["streams_opened_total"] == 2
        assert seen["http_request_seconds_count POST /api/scores 201"] == 10
        assert seen["http_request_seconds_count POST /api/scores 429"] == 2
        assert seen["http_request_seconds_count GET /api/leaderboard/stream 200"] == 2
        assert seen["http_request_seconds_count GET other 404"] == 1
        assert seen["http_request_seconds_count other other 404"] == 1
        assert seen["scores_accepted_total"] == 10
        assert seen["submissions_refused_total rate_limited"] == 2
        # The second refusal came from the cache, without the store.
        assert seen["commit_batch_size_sum"] == seen["commit_seconds_count"] == 11
        assert seen["apply_seconds_count"] == 10
        assert seen["board_reads_total ranking"] > 0
        assert seen["board_reads_total store"] == 0
        assert seen["walk_seconds_count"] == seen["commit_to_last_stream_seconds_count"] == 10
        assert seen["frames_sent_total snapshot"] >= 12
        assert seen["stream_bytes_total"] > 1_000
        assert (seen["commit_queue_depth"], seen["version_lag"], seen["draining"]) == (0, 0, 0)
        assert seen["copy_lag_versions"] == 0
        assert (seen["degraded store"], seen["degraded ranking"]) == (0, 0)
        assert seen["process_resident_memory_bytes"] > 0
        if deployment:
            assert seen["pool_connections_most database-writers"] == 2
            assert seen["pool_connections_most redis"] == 16
        while (seen := scraped(scoreboard))["streams"]:
            scoreboard.score("bob")
        assert seen["streams_closed_total left"] == 2


def test_a_stream_that_is_refused_counts_as_neither_opened_nor_closed(tmp_path: Path) -> None:
    with running(tmp_path, metrics_port=0, max_streams=1) as scoreboard, scoreboard.watch() as watcher:
        watcher.frame()
        with scoreboard.watch() as one_too_many:
            assert one_too_many.response.read().startswith(b"retry: ")
        seen = scraped(scoreboard)
    assert seen["streams_refused_total"] == seen["streams_opened_total"] == seen["streams"] == 1
    assert sum(value for name, value in seen.items() if name.startswith("streams_closed_total ")) == 0


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(StartError, match=rf"127\.0\.0\.1:{port} .* SCOREBOARD_METRICS_PORT"),
            running(tmp_path, metrics_port=port),
        ):
            pass


def test_silent_clients_use_no_threads_and_are_disconnected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "HEADER_SECONDS", 0.1)
    with running(tmp_path, metrics_port=0) as scoreboard, ExitStack() as stack:
        before = threading.active_count()
        address = ("127.0.0.1", scoreboard.scoreboard.metrics_port or 0)
        clients = [
            stack.enter_context(socket.create_connection(address, timeout=LIMIT_SECONDS)) for _ in range(50)
        ]
        scraped(scoreboard)
        assert threading.active_count() <= before
        for client, sent in zip(clients, (b"", b"GET /metrics HTTP/1.1\r\n"), strict=False):
            client.sendall(sent)
        assert [client.recv(1_000)[:12] for client in clients[:2]] == [b"", b"HTTP/1.1 408"]


@pytest.fixture(scope="module")
def metered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("metered"), metrics_port=0) as server:
        yield server


def test_an_invalid_request_for_metrics_gets_a_response(metered: Running) -> None:
    headers = {b"Accept": b"\xff", b"Accept-Encoding": b"\xff"}
    assert httpx2.get(metered.metrics_url, headers=headers).status_code == 200
    assert httpx2.request("CONNECT", metered.metrics_url).status_code == 501


@pytest.mark.parametrize("version", ["latest", "1.0.0-rc1", "9" * 5_000, "1.0.0; escaping=none"])
@pytest.mark.parametrize("kind", ["application/openmetrics-text", "text/plain"])
def test_an_unknown_format_gets_an_existing_one(
    metered: Running, kind: str, version: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("WARNING")
    answer = httpx2.get(metered.metrics_url, headers={"Accept": f"{kind}; version={version}"})
    assert (answer.status_code, "scoreboard_clock_unsure" in answer.text) == (200, True)
    assert caplog.messages == []


def test_the_public_port_has_no_metrics(metered: Running, server: Running) -> None:
    assert metered.client.get("/metrics").status_code == 404
    assert server.scoreboard.metrics_port is None
