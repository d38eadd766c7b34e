"""Submit scores at a fixed rate, each with an idempotency key and without retries, to see failures."""

import asyncio
import json
from collections.abc import Mapping
from itertools import count, cycle
from time import perf_counter
from types import TracebackType
from typing import Self
from uuid import UUID, uuid4

from tests.history.wire import Answer, ConnectionLost, Connections, NotConnected

ANSWER_SECONDS = 10.0
BEGIN_SECONDS = 30.0


class Scorers:
    """Submits scores from the start of the `with` block until `stop`."""

    def __init__(self, url: str, tokens: Mapping[str, str], rate: float) -> None:
        self.sent = 0
        self.seconds: list[float] = []
        self.acknowledged: set[UUID] = set()
        """The event ids of the receipts."""
        self.failures: list[str] = []
        self.newest_version = 0
        self._connections = Connections(url)
        self._rate = rate
        self._tokens = tokens
        self._stopping = asyncio.Event()
        self._answered = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._running = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop()
        await self._connections.aclose()

    async def more_acknowledged(self, number: int) -> None:
        """Wait until `number` more scores are acknowledged. Raises TimeoutError."""
        wanted = len(self.acknowledged) + number
        async with asyncio.timeout(BEGIN_SECONDS):
            while len(self.acknowledged) < wanted:
                self._answered.clear()
                await self._answered.wait()

    async def stop(self) -> None:
        """Submit no more scores, and wait for the responses."""
        self._stopping.set()
        await self._running

    async def leader_scores(self) -> None:
        """Submit one more score of the leader, so that every stream shows the newest version.

        The users take turns, so the first user leads.
        """
        await self._score(next(iter(self._tokens)), perf_counter())

    async def _run(self) -> None:
        started = perf_counter()
        users = cycle(self._tokens)
        async with asyncio.TaskGroup() as group:
            for number in count():
                planned_at = started + number / self._rate
                await asyncio.sleep(max(0.0, planned_at - perf_counter()))
                if self._stopping.is_set():
                    break
                group.create_task(self._score(next(users), planned_at))

    async def _score(self, user_id: str, planned_at: float) -> None:
        self.sent += 1
        headers = {
            "authorization": f"Bearer {self._tokens[user_id]}",
            "content-type": "application/json",
            "idempotency-key": str(uuid4()),
        }
        body = json.dumps({"actionId": "complete-quest", "userId": user_id}).encode()
        try:
            answer = await self._connections.request(
                "POST", "/api/scores", headers, body, within_seconds=ANSWER_SECONDS
            )
        except (NotConnected, ConnectionLost) as error:
            self.failures.append(repr(error))
            return
        self.seconds.append(perf_counter() - planned_at)
        self._note(answer)

    def _note(self, answer: Answer) -> None:
        if not 200 <= answer.status < 300:
            self.failures.append(f"{answer.status} {answer.body[:200]!r}")
            return
        document = json.loads(answer.body)
        self.acknowledged.add(UUID(document["eventId"]))
        self.newest_version = max(self.newest_version, document["version"])
        self._answered.set()
