"""Replace two instances behind a real nginx, like an orchestrator, under streams and score updates."""

import asyncio
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from benchmarks.browsers import Browser, browsing, late
from benchmarks.deployment import Deployment, deployed
from benchmarks.measuring import latencies
from benchmarks.options import CannotMeasure, Figures, OnTick, Options
from benchmarks.scorers import Scorers
from benchmarks.target import Target
from scoreboard.cli.bench.latency import percentile
from scoreboard.domain.submissions import Caller
from tests.e2e.nginx import Nginx

LIVE_AGAIN_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Pace:
    """The durations of a replacement."""

    grace_seconds: float = 2.0
    """The time for the load balancer to notice that an instance is not ready."""

    drain_seconds: float = 5.0
    around_seconds: float = 2.0
    """The time before and after each replacement."""

    patience_seconds: float = LIVE_AGAIN_SECONDS
    """The wait for streams that do not show the newest version. It is twice as long for those that are not
    live."""


PACE: Final = Pace()

END_SECONDS = 30.0
"""An instance must exit within this time, because an orchestrator would kill it."""

USERS = 30
"""They take turns, so a third of all scores change the top ten. With fewer users, a busy machine could reach
the limit of waiting requests per user."""

SHOWN_FAILURES = 20

PROMISED_AT_MOST: Final[Figures] = {
    "failed_posts": 0,
    "lost_scores": 0,
    "uncounted_scores": 0,
    "verify_differs": 0,
    "exit_codes": 0,
    "live_again_max_s": LIVE_AGAIN_SECONDS,
    "not_live_again": 0,
    "without_newest": 0,
    "older_boards": 0,
}


async def rolling_deploy(options: Options, on_tick: OnTick, pace: Pace = PACE) -> Figures:
    """Streams and score updates through nginx while two instances are replaced in turn. No request is
    retried.

    The first instance is removed from the load balancer and then stopped. The second is stopped, and removed
    when it is not ready. An outage lasts from the end of a stream's connection to the first event of the next
    one.
    """
    with deployed() as deployment, ExitStack() as stack:
        fleet = _Fleet(deployment, stack, pace)
        await fleet.start(4 * options.streams + 1_000)
        async with Scorers(fleet.nginx.url, fleet.tokens, options.rate) as scorers:
            await scorers.more_acknowledged(USERS)
            async with browsing(fleet.host, fleet.port, options.streams) as browsers:
                for number, in_advance in enumerate((True, False)):
                    await asyncio.sleep(pace.around_seconds)
                    await fleet.replace_oldest(in_advance=in_advance)
                    await late(browsers, lambda browser: browser.is_live, 2 * pace.patience_seconds)
                    on_tick((number + 1) / 2)
                await asyncio.sleep(pace.around_seconds)
                await scorers.stop()
                await scorers.leader_scores()
                newest = max(scorers.acknowledged.values())
                without = await late(
                    browsers, lambda browser: browser.version == newest, pace.patience_seconds
                )
        verified = await asyncio.to_thread(deployment.run, "verify")
        ledger = await asyncio.to_thread(_ledger, deployment)
    for failure in scorers.failures[:SHOWN_FAILURES]:
        print(f"failed: {failure}", file=sys.stderr)
    return {
        **_posted(scorers, ledger),
        "verify_differs": float(verified.returncode != 0),
        "exit_codes": sum(map(abs, fleet.exit_codes)),
        **_watched(browsers),
        "without_newest": without,
    }


class _Fleet:
    """The instances and nginx in front of them."""

    def __init__(self, deployment: Deployment, stack: ExitStack, pace: Pace) -> None:
        self.exit_codes: list[int] = []
        self._pace = pace
        self._settings = {
            **deployment.settings,
            "SCOREBOARD_DRAIN_GRACE_SECONDS": f"{pace.grace_seconds:g}",
            "SCOREBOARD_DRAIN_SECONDS": f"{pace.drain_seconds:g}",
        }
        self._stack = stack
        self._instances: list[Target] = []

    async def start(self, connections: int) -> None:
        """Start two instances, and nginx with the given number of connections."""
        for _ in range(2):
            self._instances.append(await self._started())
        tokens = self._instances[0].tokens
        self.tokens = {user: tokens.sign(Caller(user), 3_600) for user in map("user-{}".format, range(USERS))}
        self.nginx = await asyncio.to_thread(self._balancer, connections)
        address = urlsplit(self.nginx.url)
        self.host, self.port = address.hostname or "", address.port or 0

    def _balancer(self, connections: int) -> Nginx:
        try:
            return self._stack.enter_context(Nginx(_urls(self._instances), connections=connections))
        except pytest.skip.Exception as error:
            raise CannotMeasure(str(error)) from error

    async def replace_oldest(self, *, in_advance: bool) -> None:
        """Start an instance and stop the oldest one, which leaves nginx in advance or when not ready."""
        oldest, *staying = self._instances
        self._instances = [*staying, await self._started()]
        await self._balance([oldest, *self._instances])
        if in_advance:
            await self._balance(self._instances)
        async with asyncio.timeout(END_SECONDS):
            stopping = asyncio.create_task(asyncio.to_thread(oldest.stop))
            if not in_advance:
                await asyncio.to_thread(_until_not_ready, oldest, self._pace.grace_seconds)
                await self._balance(self._instances)
            self.exit_codes.append(await stopping or 0)

    async def _started(self) -> Target:
        target = Target(self._settings)
        return await asyncio.to_thread(self._stack.enter_context, target)

    async def _balance(self, instances: Sequence[Target]) -> None:
        await asyncio.to_thread(self.nginx.balance, _urls(instances))


def _urls(instances: Sequence[Target]) -> list[str]:
    return [instance.url for instance in instances]


def _until_not_ready(instance: Target, within_seconds: float) -> None:
    until = time.perf_counter() + within_seconds
    while instance.answers():
        if time.perf_counter() > until:
            raise TimeoutError("a stopping instance still reports that it is ready")
        time.sleep(0.05)


def _ledger(deployment: Deployment) -> set[UUID]:
    return {row["event_id"] for row in deployment.database.sql("SELECT event_id FROM score_events")}


def _posted(scorers: Scorers, ledger: set[UUID]) -> Figures:
    return {
        "posts": len(scorers.seconds),
        "failed_posts": len(scorers.failures),
        **{f"post_{name}": figure for name, figure in latencies(scorers.seconds).items()},
        "lost_scores": len(scorers.acknowledged.keys() - ledger),
        "uncounted_scores": len(ledger - scorers.acknowledged.keys()),
    }


def _watched(browsers: Sequence[Browser]) -> Figures:
    outages = list(chain.from_iterable(browser.outages_seconds for browser in browsers))
    return {
        "streams": len(browsers),
        "streams_ended": len(outages),
        "live_again_p50_s": percentile(outages, 50),
        "live_again_p95_s": percentile(outages, 95),
        "live_again_max_s": max(outages),
        "paused_max_s": max(chain.from_iterable(browser.pauses_seconds for browser in browsers)),
        "not_live_again": sum(not browser.is_live for browser in browsers),
        "refused_streams": sum(browser.refusals for browser in browsers),
        "older_boards": sum(browser.older_boards for browser in browsers),
    }
