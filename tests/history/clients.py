"""Clients with known intents, on several instances. They record each request with its answer and times."""

import asyncio
import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from uuid import UUID

from scoreboard.domain.definitions import Definition
from tests.history.records import NOT_CONNECTED, Acknowledged, Attempt, Outcome, Refused, Unknown, views
from tests.history.wire import Answer, ConnectionLost, Connections, NotConnected
from tests.limits import LIMIT_SECONDS

BACK_SECONDS = (0.02, 0.6)
"""The shortest and the longest pause before a client retries a key."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The parameters of the load. Shares are fractions of all submissions."""

    users: int = 40
    actions: tuple[str, ...] = ("quest", "duel", "visit")
    boards: tuple[str, ...] = ("main", "side")
    clients: int = 24
    rate: float = 200.0
    """Submissions per second, of all clients together."""
    share_without_key: float = 0.15
    share_sent_twice: float = 0.1
    """Two clients send the submission at the same moment, to two instances if there are two."""
    share_sent_again: float = 0.1
    """The submission is sent again although it was answered."""
    staying: int = 1
    """Watchers per board and instance."""
    rotating: int = 1
    """Watchers per board that connect to another instance each time."""
    timeout_seconds: float = 3.0
    """The time limit of an answer."""
    retry_seconds: float = 30.0
    """The time after which a client does not retry a key."""
    settle_seconds: float = LIMIT_SECONDS
    """The time at the end for clients to settle their keys, and for all instances and watchers to agree."""
    seed: int = 1
    definitions: Mapping[str, Definition] = field(default_factory=dict)
    """The boards with periods. Their open periods are watched, too."""
    share_for_period: float = 0.0
    """The submission names the period that its client saw last."""

    @property
    def views(self) -> Sequence[tuple[str, str]]:
        """What is watched."""
        return views(self.boards, self.definitions)


class Clients:
    """The clients, and the attempts that they made (`attempts`, in the order of the answers)."""

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
        self._seen: dict[str, str] = {}
        """A period in the last answer for each action."""
        self._stopping = asyncio.Event()

    async def submit(
        self,
        user_id: str,
        action_id: str,
        key: str | None = None,
        within_seconds: float | None = None,
        period: str | None = None,
    ) -> Outcome:
        """Submit an action. With a key, retry on the next instance until it is acknowledged or refused.

        `within_seconds` is the time limit of an answer, if it is not that of the plan. `period` is the one
        for which the action is to count.
        """
        turn = self._rng.randrange(len(self._instances))
        until = self._now() + self._plan.retry_seconds
        outcome = await self.attempt(self._instances[turn], user_id, action_id, key, within_seconds, period)
        wait = BACK_SECONDS[0]
        while key is not None and _may_be_tried_again(outcome) and self._now() < until:
            await asyncio.sleep(wait * self._rng.uniform(0.5, 1.5))
            wait = min(2 * wait, BACK_SECONDS[1])
            turn = (turn + 1) % len(self._instances)
            instance = self._instances[turn]
            outcome = await self.attempt(instance, user_id, action_id, key, within_seconds, period)
        return outcome

    async def attempt(
        self,
        instance: str,
        user_id: str,
        action_id: str,
        key: str | None,
        within_seconds: float | None = None,
        period: str | None = None,
    ) -> Outcome:
        """Send one request to one instance."""
        if user_id not in self._tokens:
            self._tokens[user_id] = self._token_for(user_id)
        headers = {"authorization": f"Bearer {self._tokens[user_id]}", "content-type": "application/json"}
        if key is not None:
            headers["idempotency-key"] = key
        body = {"actionId": action_id, "userId": user_id}
        if period is not None:
            body["period"] = period
        started = self._now()
        # A request that the end of the test cuts off was sent all the same.
        outcome: Outcome = Unknown("the client was stopped")
        try:
            answer = await self._connections[instance].request(
                "POST",
                "/api/scores",
                headers,
                json.dumps(body).encode(),
                within_seconds=within_seconds or self._plan.timeout_seconds,
            )
            outcome = _outcome(answer)
        except NotConnected:
            outcome = Refused(0, NOT_CONNECTED)
        except ConnectionLost as error:
            outcome = Unknown(str(error))
        finally:
            self.attempts.append(
                Attempt(user_id, action_id, key, instance, started, self._now(), outcome, period)
            )
        if isinstance(outcome, Acknowledged):
            if outcome.periods:
                self._seen[action_id] = self._rng.choice(sorted(outcome.periods))
            self.acknowledged += 1
            self.answered.set()
        return outcome

    async def run(self) -> None:
        """Run one client, which submits at random until it is stopped."""
        rng, plan = self._rng, self._plan
        while not await self._stopped_within(rng.expovariate(plan.rate / plan.clients)):
            # Some users are busy, most are not: because of the square, the first quarter makes half of all
            # submissions.
            user_id = f"user-{int(plan.users * rng.random() ** 2)}"
            action_id = rng.choice(plan.actions)
            period = self._seen.get(action_id) if rng.random() < plan.share_for_period else None
            if rng.random() < plan.share_without_key:
                await self.submit(user_id, action_id, period=period)
                continue
            key = self.new_name("key")
            times = 2 if rng.random() < plan.share_sent_twice else 1
            submissions = (self.submit(user_id, action_id, key, period=period) for _ in range(times))
            await asyncio.gather(*submissions)
            if rng.random() < plan.share_sent_again:
                await self.submit(user_id, action_id, key, period=period)

    async def _stopped_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return False
        return True

    def new_name(self, what: str) -> str:
        """Return a key that was not used before."""
        return f"{what}-{next(self._numbers)}"

    def stop(self) -> None:
        """Let all clients finish their current submission."""
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
        periods={period: result["score"] for period, result in document.get("periods", {}).items()},
    )


def _may_be_tried_again(outcome: Outcome) -> bool:
    """Return True if a retry may end differently: no answer came, or the server was unable to handle it."""
    return isinstance(outcome, Unknown) or (
        isinstance(outcome, Refused) and (outcome.status == 0 or outcome.status >= 500)
    )
