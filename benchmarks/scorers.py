"""Submit scores at a fixed rate, each with an idempotency key and without retries, to see failures."""

import asyncio
from collections.abc import Mapping
from itertools import count, cycle
from random import Random
from time import perf_counter
from typing import Self
from uuid import UUID, uuid4

from tests.history.clients import Clients, Plan
from tests.history.records import Acknowledged
from tests.history.wire import Connections

ANSWER_SECONDS = 10.0
BEGIN_SECONDS = 30.0


class Scorers:
    """Submits scores from the start of the `with` block until `stop`."""

    def __init__(self, url: str, tokens: Mapping[str, str], rate: float) -> None:
        self._url = url
        self._connections = Connections(url)
        plan = Plan(timeout_seconds=ANSWER_SECONDS)
        self._clients = Clients(
            {url: self._connections}, tokens.__getitem__, plan, perf_counter, Random(plan.seed)
        )
        self._rate = rate
        self._users = tuple(tokens)
        self._stopping = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._running = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
        await self._connections.aclose()

    @property
    def seconds(self) -> list[float]:
        return [attempt.ended - attempt.started for attempt in self._clients.attempts]

    @property
    def acknowledged(self) -> dict[UUID, int]:
        """Return the version of each acknowledged event."""
        outcomes = (attempt.outcome for attempt in self._clients.attempts)
        return {
            outcome.event_id: outcome.version for outcome in outcomes if isinstance(outcome, Acknowledged)
        }

    @property
    def failures(self) -> list[str]:
        return [
            f"{attempt}: {attempt.outcome}"
            for attempt in self._clients.attempts
            if not isinstance(attempt.outcome, Acknowledged)
        ]

    async def more_acknowledged(self, number: int) -> None:
        """Wait until `number` more scores are acknowledged. Raises TimeoutError."""
        wanted = self._clients.acknowledged + number
        async with asyncio.timeout(BEGIN_SECONDS):
            while self._clients.acknowledged < wanted:
                self._clients.answered.clear()
                await self._clients.answered.wait()

    async def stop(self) -> None:
        """Submit no more scores, and wait for the responses."""
        self._stopping.set()
        await self._running

    async def leader_scores(self) -> None:
        """Submit one more score of the leader, so that every stream shows the newest version.

        The users take turns, so the first user leads.
        """
        await self._score(self._users[0])

    async def _run(self) -> None:
        started = perf_counter()
        users = cycle(self._users)
        async with asyncio.TaskGroup() as group:
            for number in count():
                await asyncio.sleep(max(0.0, started + number / self._rate - perf_counter()))
                if self._stopping.is_set():
                    break
                group.create_task(self._score(next(users)))

    async def _score(self, user_id: str) -> None:
        await self._clients.attempt(self._url, user_id, "complete-quest", str(uuid4()))
