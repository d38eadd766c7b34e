"""Clients with known intents, on many instances. Each request is written down, with its answer and its times."""

import asyncio
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from uuid import UUID

from tests.history.records import NOT_CONNECTED, Acknowledged, Attempt, Outcome, Refused, Unknown
from tests.history.wire import Answer, ConnectionLost, Connections, NotConnected

BACK_SECONDS = (0.02, 0.6)
"""How long a client waits before it tries a key again: at first, and at most."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the load is. Shares are of all submissions."""

    users: int = 40
    actions: tuple[str, ...] = ("quest", "duel", "visit")
    boards: tuple[str, ...] = ("main", "side")
    clients: int = 24
    rate: float = 200.0
    """Submissions a second, of all clients together."""
    share_without_key: float = 0.15
    share_sent_twice: float = 0.1
    """Sent at the same moment by two clients, to two instances where there are two."""
    share_sent_again: float = 0.1
    """Sent once more although it was answered."""
    staying: int = 1
    """Watchers a board and instance."""
    rotating: int = 1
    """Watchers a board that go to another instance each time they come back."""
    timeout_seconds: float = 3.0
    """How long a client waits for an answer."""
    tries: int = 60
    """Of one key, at the most: half a minute."""
    settle_seconds: float = 30.0
    """At the end, for the clients to know what came of their keys, and then for all instances and watchers to agree."""
    seed: int = 1


class Clients:
    """What they send, and what came of it (`attempts`, in the order of the answers)."""

    def __init__(
        self,
        connections: Mapping[str, Connections],
        token_for: Callable[[str], str],
        plan: Plan,
        now: Callable[[], float],
        rng: random.Random,
    ) -> None:
        self.attempts: list[Attempt] = []
        self.answered = asyncio.Event()
        self.acknowledged = 0
        self._connections = connections
        self._instances = tuple(connections)
        self._token_for = token_for
        self._tokens: dict[str, str] = {}
        self._plan = plan
        self._now = now
        self._rng = rng
        self._numbers = count(1)
        self._stopping = asyncio.Event()

    async def submit(self, user_id: str, action_id: str, key: str | None = None) -> Outcome:
        """A submission. With a key it is tried again, on the next instance, until it is acknowledged or refused."""
        turn = self._rng.randrange(len(self._instances))
        outcome = await self.attempt(self._instances[turn], user_id, action_id, key)
        wait = BACK_SECONDS[0]
        for _ in range(self._plan.tries - 1):
            if key is None or not _may_be_tried_again(outcome):
                break
            await asyncio.sleep(wait * self._rng.uniform(0.5, 1.5))
            wait = min(2 * wait, BACK_SECONDS[1])
            turn = (turn + 1) % len(self._instances)
            outcome = await self.attempt(self._instances[turn], user_id, action_id, key)
        return outcome

    async def attempt(self, instance: str, user_id: str, action_id: str, key: str | None) -> Outcome:
        """One request, to one instance."""
        if user_id not in self._tokens:
            self._tokens[user_id] = self._token_for(user_id)
        headers = {"authorization": f"Bearer {self._tokens[user_id]}", "content-type": "application/json"}
        if key is not None:
            headers["idempotency-key"] = key
        body = json.dumps({"actionId": action_id, "userId": user_id}).encode()
        started = self._now()
        # What is cut off by the end of the test was sent all the same.
        outcome: Outcome = Unknown("the client was stopped")
        try:
            answer = await self._connections[instance].request(
                "POST", "/api/scores", headers, body, within_seconds=self._plan.timeout_seconds
            )
            outcome = _outcome(answer)
        except NotConnected:
            outcome = Refused(0, NOT_CONNECTED)
        except ConnectionLost as error:
            outcome = Unknown(str(error))
        finally:
            self.attempts.append(Attempt(user_id, action_id, key, instance, started, self._now(), outcome))
        if isinstance(outcome, Acknowledged):
            self.acknowledged += 1
            self.answered.set()
        return outcome

    async def run(self) -> None:
        """One client, which submits at random until it is stopped."""
        rng, plan = self._rng, self._plan
        while not await self._stopped_within(rng.expovariate(plan.rate / plan.clients)):
            # Some users are busy, most are not; the square makes the first quarter do half of everything.
            user_id = f"user-{int(plan.users * rng.random() ** 2)}"
            action_id = rng.choice(plan.actions)
            if rng.random() < plan.share_without_key:
                await self.submit(user_id, action_id)
                continue
            key = self.new_name("key")
            times = 2 if rng.random() < plan.share_sent_twice else 1
            await asyncio.gather(*(self.submit(user_id, action_id, key) for _ in range(times)))
            if rng.random() < plan.share_sent_again:
                await self.submit(user_id, action_id, key)

    async def _stopped_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return False
        return True

    def new_name(self, what: str) -> str:
        """One that was never used before."""
        return f"{what}-{next(self._numbers)}"

    def stop(self) -> None:
        """Let all clients finish what they are at."""
        self._stopping.set()


def _outcome(answer: Answer) -> Outcome:
    if answer.status != 201:
        if answer.headers.get("content-type") != "application/problem+json":
            return Unknown(f"answered with {answer.status}, by somebody else")
        code = str(json.loads(answer.body)["code"])
        return Unknown(code) if code == "outcome_unknown" else Refused(answer.status, code)
    document = json.loads(answer.body)
    return Acknowledged(
        event_id=UUID(document["eventId"]),
        board=document["board"],
        user_id=document["userId"],
        action_id=document["actionId"],
        points=document["points"],
        score=document["score"],
        rank=document["rank"],
        version=document["version"],
        replayed=answer.headers.get("idempotent-replayed") == "true",
    )


def _may_be_tried_again(outcome: Outcome) -> bool:
    """Whether another try may come to something else: no answer, or a server that was not able to."""
    return isinstance(outcome, Unknown) or (
        isinstance(outcome, Refused) and (outcome.status == 0 or outcome.status >= 500)
    )
