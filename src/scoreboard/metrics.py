"""Metrics for Prometheus, named as https://prometheus.io/docs/practices/naming/ recommends.

They are served on a separate port (`server.metrics_port`), not on the public one.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from scoreboard import __version__
from scoreboard.fanout.hub import Hub
from scoreboard.ports.clock import Clock
from scoreboard.ports.observer import Observer
from scoreboard.services.apply import Applier
from scoreboard.services.clock_guard import ClockGuard
from scoreboard.services.group_commit import GroupCommit
from scoreboard.services.heal import Healer

NAMESPACE: Final = "scoreboard"

SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
BATCH: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)

Pools = Callable[[], Mapping[str, tuple[int, int]]]
"""For each pool, the connections in use and the size of the pool."""


@dataclass(frozen=True)
class CurrentState(Collector):
    """The metrics that are read at each scrape, on another thread: single numbers, which need no lock."""

    hub: Hub
    commit: GroupCommit
    applier: Applier
    healer: Healer
    clock_guard: ClockGuard
    pools: Pools

    def collect(self) -> Iterator[Metric]:
        yield from _of_streams(self.hub)
        yield from _of_services(self)
        yield from _of_pools(self.pools())


class Metrics(Observer):
    """Observer that counts events for Prometheus."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._gauge("build_info", "The program's version.", "version").labels(__version__).set(1)
        self._requests = self._seconds(
            "http_request_seconds",
            "Time from a request to its answer; of a stream, to its first event.",
            "route",
            "method",
            "status",
        )
        self._batch = Histogram(
            "commit_batch_size",
            "Submissions in one batch.",
            (),
            NAMESPACE,
            buckets=BATCH,
            registry=self.registry,
        )
        self._commit = self._seconds(
            "commit_seconds", "Time of a commit, with the wait for the board's lock."
        )
        self._accepted = self._counter("scores_accepted", "Submissions that were added to the ledger.")
        self._refused = self._counter("submissions_refused", "Refused submissions, by error code.", "reason")
        self._apply = self._seconds("apply_seconds", "Time to apply a change to the ranking.")
        self._gaps = self._counter("gaps_healed", "Gaps between store and ranking that were healed.")
        self._standings = self._counter("standings_healed", "Standings that were copied to heal gaps.")
        self._reads = self._counter(
            "board_reads", "Reads of a board, from the ranking or the store.", "source"
        )
        self._walk = self._seconds("walk_seconds", "Time to write a board to all of its streams.")
        self._last = self._seconds(
            "commit_to_last_stream_seconds",
            "Time from a commit until the board was written to every stream.",
        )
        self._failures = self._counter(
            "background_failures", "Unexpected errors in background loops, such as healing or keys.", "work"
        )
        for source in ("ranking", "store"):
            self._reads.labels(source)

    def _seconds(self, name: str, text: str, *labels: str) -> Histogram:
        return Histogram(name, text, labels, NAMESPACE, buckets=SECONDS, registry=self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, NAMESPACE, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(name, text, labels, NAMESPACE, registry=self.registry)

    def committed(self, submissions: int, accepted: int, seconds: float) -> None:
        self._accepted.inc(accepted)
        self._batch.observe(submissions)
        self._commit.observe(seconds)

    def refused(self, code: str) -> None:
        self._refused.labels(code).inc()

    def applied(self, seconds: float) -> None:
        self._apply.observe(seconds)

    def healed(self, standings: int) -> None:
        self._gaps.inc()
        self._standings.inc(standings)

    def read(self, source: str) -> None:
        self._reads.labels(source).inc()

    def delivered(self, reading_us: int, seconds: float) -> None:
        self._walk.observe(seconds)
        self._last.observe(max(0.0, (self._clock.now_us() - reading_us) / 1_000_000))

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        self._requests.labels(route, method, str(status)).observe(seconds)

    def failed(self, work: str) -> None:
        self._failures.labels(work).inc()


def _of_streams(hub: Hub) -> Iterator[Metric]:
    counts = hub.counts
    yield _gauge("streams", "Open streams.", hub.streams)
    yield _gauge("streams_most", "The most streams that may be open.", hub.max_streams)
    yield _gauge("version_lag", "Versions by which the slowest stream is behind.", hub.lag)
    yield _gauge("draining", "1 during a shutdown.", hub.is_draining)
    yield _counter("streams_opened", "Streams that were opened.", counts.opened)
    yield _counter(
        "streams_refused",
        "Streams that were refused: the instance was full or shutting down.",
        counts.refused,
    )
    closed = CounterMetricFamily(
        f"{NAMESPACE}_streams_closed",
        "Ended streams: left, stalled, drained, expired (token), withdrawn (no board to show), failed.",
        labels=["reason"],
    )
    for reason in ("left", "stalled", "failed", "drained", "expired", "withdrawn"):
        closed.add_metric([reason], getattr(counts, reason))
    yield closed
    frames = CounterMetricFamily(
        f"{NAMESPACE}_frames_sent",
        "Boards that were written to streams, as snapshot or patch.",
        labels=["kind"],
    )
    for kind, number in (("snapshot", counts.snapshots), ("patch", counts.patches)):
        frames.add_metric([kind], number)
    yield frames
    yield _counter("frames_skipped", "Times that a slow stream was skipped.", counts.skipped)
    yield _counter("heartbeats_sent", "Comments that were sent to silent streams.", counts.heartbeats)
    yield _counter("stream_bytes", "Bytes of boards that were written to streams.", counts.bytes)


def _of_services(state: CurrentState) -> Iterator[Metric]:
    yield _gauge("commit_queue_depth", "Submissions that wait for a commit.", state.commit.depth)
    yield _gauge(
        "copy_lag_versions",
        "Versions that the ranking lacks while it is filled; otherwise 0.",
        state.applier.lag,
    )
    degraded = GaugeMetricFamily(
        f"{NAMESPACE}_degraded", "1 while the store or the ranking is unavailable.", labels=["partner"]
    )
    for partner in ("store", "ranking"):
        degraded.add_metric([partner], partner in state.healer.unavailable)
    yield degraded
    guard = state.clock_guard
    yield _gauge("clock_unsure", "1 while scores are refused after a jump of the clock.", guard.is_unsure)
    yield _counter("clock_jumps", "Jumps of the store's clock by more than a minute.", guard.jumps)


def _of_pools(pools: Mapping[str, tuple[int, int]]) -> Iterator[Metric]:
    used = GaugeMetricFamily(
        f"{NAMESPACE}_pool_connections_used", "Connections that are in use.", labels=["pool"]
    )
    most = GaugeMetricFamily(
        f"{NAMESPACE}_pool_connections_most", "The most connections of the pool.", labels=["pool"]
    )
    for pool, (in_use, size) in pools.items():
        used.add_metric([pool], in_use)
        most.add_metric([pool], size)
    yield used
    yield most


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{NAMESPACE}_{name}", text, value=value)


def _counter(name: str, text: str, value: float) -> CounterMetricFamily:
    return CounterMetricFamily(f"{NAMESPACE}_{name}", text, value=value)
