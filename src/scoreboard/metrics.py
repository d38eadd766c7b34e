"""What operators watch, for Prometheus: https://prometheus.io/docs/practices/naming/.

They are served on a separate port (`server.metrics_port`), not on the public one.
"""

from collections.abc import Callable, Iterator, Mapping
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
from scoreboard.services.group_commit import GroupCommit
from scoreboard.services.healing import Healing

NAMESPACE: Final = "scoreboard"

SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
BATCH: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)

Pools = Callable[[], Mapping[str, tuple[int, int]]]
"""How many connections of each pool are in use, and how many it may have."""


class Metrics(Observer):
    """Counts what it is told."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._gauge("build_info", "The program's version.", "version").labels(__version__).set(1)
        self._requests = self._seconds(
            "http_request_seconds", "Requests until they were answered.", "route", "method", "status"
        )
        self._batch = Histogram(
            "commit_batch_size",
            "Submissions written together.",
            (),
            NAMESPACE,
            buckets=BATCH,
            registry=self.registry,
        )
        self._commit = self._seconds("commit_seconds", "A turn at the store, with its wait.")
        self._accepted = self._counter("scores_accepted", "Submissions that are in the ledger.")
        self._refused = self._counter("submissions_refused", "Refused submissions, by reason.", "reason")
        self._apply = self._seconds("apply_seconds", "The ranking's part of a score.")
        self._gaps = self._counter("gaps_healed", "Gaps between store and ranking that were closed.")
        self._standings = self._counter("standings_healed", "Standings that were copied to close them.")
        self._reads = self._counter("board_reads", "Readings of a board, by what answered.", "source")
        self._walk = self._seconds("walk_seconds", "Once around all streams of a board.")
        self._last = self._seconds(
            "commit_to_last_stream_seconds",
            "From a commit until its board was written to every stream (by the store's clock and this machine's).",
        )
        self._failures = self._counter("background_failures", "Failures of background work, by loop.", "work")
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

    def delivered(self, at_us: int, seconds: float) -> None:
        self._walk.observe(seconds)
        self._last.observe(max(0.0, (self._clock.now_us() - at_us) / 1_000_000))

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        self._requests.labels(route, method, str(status)).observe(seconds)

    def failed(self, work: str) -> None:
        self._failures.labels(work).inc()

    def watch(self, hub: Hub, commit: GroupCommit, healing: Healing, pools: Pools) -> None:
        """Show also what these know by themselves, as it is when somebody asks."""
        self.registry.register(_State(hub, commit, healing, pools))


class _State(Collector):
    """Read from another thread: single numbers, which need no lock."""

    def __init__(self, hub: Hub, commit: GroupCommit, healing: Healing, pools: Pools) -> None:
        self._hub = hub
        self._commit = commit
        self._healing = healing
        self._pools = pools

    def collect(self) -> Iterator[Metric]:
        counts = self._hub.counts
        yield _gauge("streams", "Open streams.", self._hub.streams)
        yield _gauge("streams_most", "How many there is room for.", self._hub.max_streams)
        yield _gauge(
            "version_lag", "Versions that the stream furthest behind has not been written.", self._hub.lag
        )
        yield _gauge("draining", "Whether it is being stopped.", self._hub.is_draining)
        yield _counter("streams_opened", "Streams that were taken.", counts.opened)
        yield _counter("streams_refused", "Streams that were told to come back later.", counts.refused)
        closed = CounterMetricFamily(
            f"{NAMESPACE}_streams_closed", "Streams that ended, by reason.", labels=["reason"]
        )
        for reason in ("left", "stalled", "failed", "drained", "expired", "withdrawn"):
            closed.add_metric([reason], getattr(counts, reason))
        yield closed
        frames = CounterMetricFamily(f"{NAMESPACE}_frames_sent", "Boards that were written.", labels=["kind"])
        for kind, number in (("snapshot", counts.snapshots), ("patch", counts.patches)):
            frames.add_metric([kind], number)
        yield frames
        yield _counter(
            "frames_skipped", "Times a stream was passed over, since it was behind.", counts.skipped
        )
        yield _counter("heartbeats_sent", "Comments into silent streams.", counts.heartbeats)
        yield _counter("stream_bytes", "Bytes of boards that were written.", counts.bytes)
        yield _gauge("commit_queue_depth", "Submissions that wait.", self._commit.depth)
        yield _gauge(
            "copy_lag_versions", "Versions that a ranking lacks which is being filled.", self._healing.lag
        )
        degraded = GaugeMetricFamily(
            f"{NAMESPACE}_degraded", "Whether a partner is lost.", labels=["partner"]
        )
        for partner in ("store", "ranking"):
            degraded.add_metric([partner], partner in self._healing.lost)
        yield degraded
        guard = self._commit.clock_guard
        yield _gauge(
            "clock_unsure", "Whether scores are refused, since the clock has jumped.", guard.is_unsure
        )
        yield _counter(
            "clock_jumps", "Times that the store's clock has jumped by more than a minute.", guard.jumps
        )
        used = GaugeMetricFamily(f"{NAMESPACE}_pool_connections_used", "Connections in use.", labels=["pool"])
        most = GaugeMetricFamily(
            f"{NAMESPACE}_pool_connections_most", "Connections at most.", labels=["pool"]
        )
        for pool, (in_use, size) in self._pools().items():
            used.add_metric([pool], in_use)
            most.add_metric([pool], size)
        yield used
        yield most


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{NAMESPACE}_{name}", text, value=value)


def _counter(name: str, text: str, value: float) -> CounterMetricFamily:
    return CounterMetricFamily(f"{NAMESPACE}_{name}", text, value=value)
