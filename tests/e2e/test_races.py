"""Concurrent requests of one user on two servers: each limit holds exactly.

The servers are processes that share only PostgreSQL and Redis. Limits that each server kept by itself would
accept twice as many requests.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, aclosing
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest

from scoreboard.app import make_store
from scoreboard.domain.submissions import Caller
from scoreboard.services.write_queue import PLAYER_QUEUE_SIZE
from scoreboard.settings.config import Settings
from scoreboard.web.auth.tokens import Tokens
from scoreboard.web.auth.tokens_from_settings import tokens_from_settings
from tests.e2e.processes import serving, variables
from tests.harness import settings_in
from tests.history.wire import Answer, Connections
from tests.limits import LIMIT_SECONDS
from tests.servers.process import until

SERVERS = 2
ROUNDS = 4
"""Each round of a race has a user of its own."""
REQUESTS = 100
"""Requests of one user in one round. Each server gets half of them."""

WAVES = -(-REQUESTS // (SERVERS * PLAYER_QUEUE_SIZE))
"""An idle server queues this many requests of one user and refuses the rest with a pause. The refused
requests are sent again together, after all are answered, so each wave completes at least this many."""

POINTS = 10
CATALOG = f"""
[boards.main]
title = "Main"
[actions.plain]
board = "main"
points = {POINTS}
title = "Plain"
[actions.once]
board = "main"
points = {POINTS}
title = "Once"
max_total = 1
[actions.seldom]
board = "main"
points = {POINTS}
title = "Seldom"
cooldown_seconds = 3600
[actions.proved]
board = "main"
points = {POINTS}
title = "Proved"
needs_proof = true
"""

PASSED = (HTTPStatus.CREATED, None)
BUSY = (HTTPStatus.TOO_MANY_REQUESTS, "player_busy")


@dataclass(frozen=True, slots=True)
class Race:
    """A request, how many copies of it are accepted, and the error code of the others."""

    action_id: str
    passes: int
    refusal: tuple[HTTPStatus, str]
    more: Callable[[Tokens, str], dict[str, Any]] = lambda _tokens, _user_id: {}
    """Further fields of the body, the same in all requests of a user."""


RATE_LIMIT = "10/day"
"""A round, on a machine however slow, ends before the window does. Only accepted scores count towards it."""

RACES = (
    Race("plain", 10, (HTTPStatus.TOO_MANY_REQUESTS, "rate_limited")),
    Race("once", 1, (HTTPStatus.CONFLICT, "action_used_up")),
    Race("seldom", 1, (HTTPStatus.CONFLICT, "action_cooling_down")),
    Race(
        "proved",
        1,
        (HTTPStatus.CONFLICT, "proof_redeemed"),
        more=lambda tokens, user_id: {"proof": tokens.sign_proof(user_id, "proved", f"proof for {user_id}")},
    ),
)


@dataclass(frozen=True, slots=True)
class Servers:
    """Two servers, and the settings that they share."""

    settings: Settings
    clients: Sequence[httpx2.Client]

    def boards(self) -> list[dict[str, Any]]:
        """Return the whole board as each server shows it."""
        return [client.get("/api/leaderboard", params={"limit": 100}).json() for client in self.clients]


@pytest.fixture
def servers(tmp_path: Path, migrated_url: str, redis_url: str, redis_prefix: str) -> Iterator[Servers]:
    (tmp_path / "catalog.toml").write_text(CATALOG)
    given = {
        "database_url": migrated_url,
        "redis_url": redis_url,
        "redis_prefix": redis_prefix,
        "rate_limit": RATE_LIMIT,
    }
    with ExitStack() as stack:
        clients = [stack.enter_context(serving(tmp_path, **variables(given)))[1] for _ in range(SERVERS)]
        yield Servers(settings_in(tmp_path, **given), clients)


def told(answer: Answer) -> tuple[int, str | None]:
    """Return the status and the error code. A connection that was idle for too long counts as busy."""
    if answer.status == HTTPStatus.REQUEST_TIMEOUT:
        return BUSY
    return answer.status, json.loads(answer.body).get("code")


async def at_once(
    connections: Sequence[Connections], method: str, path: str, headers: dict[str, str], body: bytes = b""
) -> list[Answer]:
    """Send the same request on each connection, all at once."""
    requests = (
        each.request(method, path, headers, body, within_seconds=LIMIT_SECONDS) for each in connections
    )
    return await asyncio.gather(*requests)


async def settled(connections: Sequence[Connections], headers: dict[str, str], body: bytes) -> list[Answer]:
    """Send a score on each connection, and return the final answers.

    A request that was refused because the queue was full is neither accepted nor refused by a rule: it is
    sent again.
    """
    answers: list[Answer] = []
    for _ in range(WAVES):
        wave = await at_once(connections, "POST", "/api/scores", headers, body)
        answers += (answer for answer in wave if told(answer) != BUSY)
        connections = [each for each, answer in zip(connections, wave, strict=True) if told(answer) == BUSY]
    assert not connections, f"after {WAVES} waves {len(connections)} requests were not looked at"
    return answers


async def run(race: Race, pools: Sequence[Connections], tokens: Tokens) -> AsyncIterator[tuple[str, UUID]]:
    """Run all rounds of a race. Yield the user and the id of each acknowledged event."""
    for number in range(ROUNDS):
        user_id = f"{race.action_id}-{number}"
        token = tokens.sign(Caller(user_id), 3_600)
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        body = json.dumps(
            {"actionId": race.action_id, "userId": user_id, **race.more(tokens, user_id)}
        ).encode()
        # Each server gets the first request in half of the rounds.
        in_turn = pools if number % 2 else pools[::-1]
        answers = await settled(list(in_turn) * (REQUESTS // SERVERS), headers, body)
        counts = {PASSED: race.passes, race.refusal: REQUESTS - race.passes}
        assert Counter(map(told, answers)) == counts, user_id
        for answer in answers:
            if told(answer) == PASSED:
                yield user_id, UUID(json.loads(answer.body)["eventId"])


async def run_all(servers: Servers) -> list[tuple[str, UUID]]:
    tokens = tokens_from_settings(servers.settings)
    async with AsyncExitStack() as stack:
        pools = [
            await stack.enter_async_context(aclosing(Connections(str(client.base_url))))
            for client in servers.clients
        ]
        # Connections are open before the first round, so that all requests of a round are sent at once.
        await at_once(pools * (REQUESTS // SERVERS), "GET", "/health/live", {})
        return [found for race in RACES async for found in run(race, pools, tokens)]


async def ledger(settings: Settings) -> list[tuple[str, UUID]]:
    """Return the ids of the events in the ledger, by user."""
    async with make_store(settings) as store:
        standings = (await store.changes("main", 0, 1_000_000)).standings
        users = {standing.player: standing.user_id for standing in standings}
        return [(users[event.player], event.event_id) for event in await store.events("main", 0, 1_000_000)]


def test_exactly_the_allowed_number_is_accepted(servers: Servers) -> None:
    acknowledged = asyncio.run(run_all(servers))
    assert sorted(asyncio.run(ledger(servers.settings))) == sorted(acknowledged)
    until(
        lambda: all(board["version"] == len(acknowledged) for board in servers.boards()),
        "both servers show what was acknowledged",
    )
    everybody = {
        f"{race.action_id}-{number}": race.passes * POINTS for race in RACES for number in range(ROUNDS)
    }
    for board in servers.boards():
        assert {entry["userId"]: entry["score"] for entry in board["entries"]} == everybody
