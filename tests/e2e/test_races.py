"""Many requests of one user at once, on two servers: what counts so often counts exactly so often.

The servers are processes that share PostgreSQL and Redis, and nothing else. What each of them decided by itself would
let twice as many pass.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest

from scoreboard.app import make_store, make_tokens
from scoreboard.domain.submissions import Caller
from scoreboard.services.group_commit import PLAYER_QUEUE_SIZE
from scoreboard.settings.config import Settings
from scoreboard.web.auth.tokens import Tokens
from tests.e2e.processes import serving
from tests.harness import settings_in
from tests.history.wire import Answer, Connections
from tests.servers.process import until

SERVERS = 2
ROUNDS = 20
"""Each with a user of its own."""
REQUESTS = 200
"""Of one user in one round, half of them to each server."""

WAVES = -(-REQUESTS // (SERVERS * PLAYER_QUEUE_SIZE))
"""A server that nobody waits at takes so many of one user, and has the others come back. Those are sent again together,
when all have been answered: so each wave settles at least so many."""

ROUND_SECONDS = 30.0
"""Far from the end of the limit's minute, after which more may pass."""

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
    """What all requests of a round ask for, how many pass, and what the others are told."""

    action_id: str
    passes: int
    refusal: tuple[HTTPStatus, str]
    rate_limit: str | None = "1000000/minute"
    """Without one, the limit that a server has by default. As it stands here it refuses nobody."""
    more: Callable[[Tokens, str], dict[str, Any]] = lambda _tokens, _user_id: {}
    """What else the body says, which is the same in all requests of a user."""


RACES = {
    "the limit of ten a minute": Race(
        "plain", 10, (HTTPStatus.TOO_MANY_REQUESTS, "rate_limited"), rate_limit=None
    ),
    "an action that counts once": Race("once", 1, (HTTPStatus.CONFLICT, "action_used_up")),
    "an action that cools down": Race("seldom", 1, (HTTPStatus.CONFLICT, "action_cooling_down")),
    "a proof": Race(
        "proved",
        1,
        (HTTPStatus.CONFLICT, "proof_redeemed"),
        more=lambda tokens, user_id: {"proof": tokens.sign_proof(user_id, "proved", f"proof for {user_id}")},
    ),
}


@dataclass(frozen=True, slots=True)
class Servers:
    """Two of them, and the settings that they share."""

    settings: Settings
    clients: Sequence[httpx2.Client]

    def boards(self) -> list[dict[str, Any]]:
        """The whole board, as each of them shows it."""
        return [client.get("/api/leaderboard", params={"limit": 100}).json() for client in self.clients]


@pytest.fixture(params=RACES.values(), ids=[*RACES])
def race(request: pytest.FixtureRequest) -> Race:
    chosen: Race = request.param
    return chosen


@pytest.fixture
def servers(
    race: Race, tmp_path: Path, migrated_url: str, redis_url: str, redis_prefix: str
) -> Iterator[Servers]:
    (tmp_path / "catalog.toml").write_text(CATALOG)
    given = {"database_url": migrated_url, "redis_url": redis_url, "redis_prefix": redis_prefix}
    if race.rate_limit is not None:
        given["rate_limit"] = race.rate_limit
    variables = {f"SCOREBOARD_{name.upper()}": value for name, value in given.items()}
    with ExitStack() as stack:
        clients = [stack.enter_context(serving(tmp_path, **variables))[1] for _ in range(SERVERS)]
        yield Servers(settings_in(tmp_path, **given), clients)


def told(answer: Answer) -> tuple[int, str | None]:
    return answer.status, json.loads(answer.body).get("code")


async def at_once(
    connections: Sequence[Connections], method: str, path: str, headers: dict[str, str], body: bytes = b""
) -> list[Answer]:
    """Send the same request on each; none waits for the answer to another one."""
    requests = (
        each.request(method, path, headers, body, within_seconds=ROUND_SECONDS) for each in connections
    )
    return await asyncio.gather(*requests)


async def settled(connections: Sequence[Connections], headers: dict[str, str], body: bytes) -> list[Answer]:
    """What a user is told of a score that is sent on each: the answers of servers that have looked at it.

    Who is told to come back later was not looked at, and neither passed nor was refused.
    """
    answers: list[Answer] = []
    for _ in range(WAVES):
        wave = await at_once(connections, "POST", "/api/scores", headers, body)
        answers += (answer for answer in wave if told(answer) != BUSY)
        connections = [each for each, answer in zip(connections, wave, strict=True) if told(answer) == BUSY]
    assert not connections, f"after {WAVES} waves {len(connections)} requests were not looked at"
    return answers


async def run(race: Race, servers: Servers) -> list[tuple[str, UUID]]:
    """All rounds. Whose events were acknowledged, and their ids."""
    tokens = make_tokens(servers.settings)
    acknowledged: list[tuple[str, UUID]] = []
    with ExitStack() as stack:
        pools = [
            stack.enter_context(closing(Connections(str(client.base_url)))) for client in servers.clients
        ]
        # They are open before the first round, so that all of a round is written at once.
        await at_once(pools * (REQUESTS // SERVERS), "GET", "/health/live", {})
        for number in range(ROUNDS):
            user_id = f"user-{number}"
            token = tokens.sign(Caller(user_id), 3_600)
            headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
            body = json.dumps(
                {"actionId": race.action_id, "userId": user_id, **race.more(tokens, user_id)}
            ).encode()
            # Each server is the first one in half of the rounds.
            in_turn = pools if number % 2 else pools[::-1]
            async with asyncio.timeout(ROUND_SECONDS):
                answers = await settled(in_turn * (REQUESTS // SERVERS), headers, body)
            assert Counter(map(told, answers)) == {
                PASSED: race.passes,
                race.refusal: REQUESTS - race.passes,
            }, user_id
            passed = (answer for answer in answers if told(answer) == PASSED)
            acknowledged += ((user_id, UUID(json.loads(answer.body)["eventId"])) for answer in passed)
    return acknowledged


async def ledger(settings: Settings) -> list[tuple[str, UUID]]:
    """Whose events are in it, and their ids."""
    async with make_store(settings) as store:
        standings = (await store.changes("main", 0, 1_000_000)).standings
        users = {standing.player: standing.user_id for standing in standings}
        return [(users[event.player], event.event_id) for event in await store.events("main", 0, 1_000_000)]


def test_exactly_as_many_count_as_may(race: Race, servers: Servers) -> None:
    acknowledged = asyncio.run(run(race, servers))
    assert sorted(asyncio.run(ledger(servers.settings))) == sorted(acknowledged)
    until(
        lambda: all(board["version"] == len(acknowledged) for board in servers.boards()),
        "both servers show what was acknowledged",
    )
    everybody = {f"user-{number}": race.passes * POINTS for number in range(ROUNDS)}
    for board in servers.boards():
        assert {entry["userId"]: entry["score"] for entry in board["entries"]} == everybody
