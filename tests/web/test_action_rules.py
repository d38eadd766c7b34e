"""Rules of the catalog apply on every instance. A violation is 409, with a code for the rule."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest

from scoreboard.domain.events import EventKind
from tests.clocks import HeldClock
from tests.harness import Running, running
from tests.web.catalog_with_rules import CATALOG


@pytest.fixture
def settings(tmp_path: Path, deployment: dict[str, Any]) -> dict[str, Any]:
    (tmp_path / "catalog.toml").write_text(CATALOG)
    return {"rate_limit": "1000/minute", **deployment}


@pytest.fixture
def scoreboard(tmp_path: Path, settings: dict[str, Any]) -> Iterator[Running]:
    with running(tmp_path, HeldClock(), **settings) as server:
        yield server


def told(response: httpx2.Response) -> tuple[int, str | None, str | None]:
    return response.status_code, response.json().get("code"), response.headers.get("Retry-After")


COUNTED = (201, None, None)


def test_an_action_that_counts_once_counts_once(scoreboard: Running) -> None:
    assert told(scoreboard.score(action_id="once")) == COUNTED
    assert told(scoreboard.score(action_id="once")) == (409, "action_used_up", None)
    assert told(scoreboard.score("bob", "once")) == COUNTED
    assert [event.action_seq for event in scoreboard.ledger()] == [1, 1]


def test_a_cooldown_ends_at_the_time_in_retry_after(scoreboard: Running) -> None:
    assert told(scoreboard.score(action_id="seldom")) == COUNTED
    scoreboard.clock.advance(0.5)
    assert told(scoreboard.score(action_id="seldom")) == (409, "action_cooling_down", "30")
    scoreboard.clock.advance(29.4)
    assert told(scoreboard.score(action_id="seldom")) == (409, "action_cooling_down", "1")
    scoreboard.clock.advance(0.1)
    assert told(scoreboard.score(action_id="seldom")) == COUNTED


def test_a_daily_maximum_counts_days_in_the_boards_time_zone(scoreboard: Running) -> None:
    for _ in range(2):
        assert told(scoreboard.score(action_id="daily")) == COUNTED
        scoreboard.clock.advance(1)
    status, code, retry_after = told(scoreboard.score(action_id="daily"))
    assert (status, code) == (409, "action_used_up_today")
    assert retry_after is not None
    scoreboard.clock.advance(int(retry_after) - 1.5)
    assert told(scoreboard.score(action_id="daily"))[:2] == (409, "action_used_up_today")
    scoreboard.clock.advance(1.5)
    for _ in range(2):
        assert told(scoreboard.score(action_id="daily")) == COUNTED
    assert told(scoreboard.score(action_id="daily"))[:2] == (409, "action_used_up_today")


def test_an_action_may_require_another_one_on_any_board(scoreboard: Running) -> None:
    assert told(scoreboard.score(action_id="after")) == (409, "action_requires", None)
    assert told(scoreboard.score(action_id="visit")) == COUNTED
    assert told(scoreboard.score(action_id="after")) == COUNTED
    assert told(scoreboard.score("bob", "after")) == (409, "action_requires", None)


def test_a_disabled_action_does_not_count(scoreboard: Running) -> None:
    assert told(scoreboard.score(action_id="off")) == (409, "action_disabled", None)


def test_refusals_and_repeats_use_no_quota(scoreboard: Running) -> None:
    first = scoreboard.score(action_id="once", key="k")
    again = scoreboard.score(action_id="once", key="k")
    assert first.json()["eventId"] == again.json()["eventId"]
    assert again.headers["Idempotent-Replayed"] == "true"
    for _ in range(20):
        assert told(scoreboard.score(action_id="once"))[1] == "action_used_up"
    assert [event.seq for event in scoreboard.ledger()] == [1]


def claim(scoreboard: Running, scopes: tuple[str, ...], **body: Any) -> httpx2.Response:
    token = scoreboard.token("game" if scopes else "ada", scopes=scopes)
    return scoreboard.client.post(
        "/api/scores",
        json={"actionId": "prize", "userId": "ada", **body},
        headers={"Authorization": f"Bearer {token}"},
    )


SERVER = ("scores:write:any",)


def test_players_cannot_submit_actions_of_servers(scoreboard: Running) -> None:
    assert told(claim(scoreboard, ())) == (403, "action_by_server", None)
    assert claim(scoreboard, SERVER).json()["points"] == 10


def test_a_trusted_server_sets_points_within_the_range(scoreboard: Running) -> None:
    assert claim(scoreboard, SERVER, points=42).json()["score"] == 42
    assert claim(scoreboard, SERVER, points=-5).json()["score"] == 37
    # JSON Schema treats this as an integer.
    assert claim(scoreboard, SERVER, points=3.0).json()["score"] == 40
    assert told(claim(scoreboard, SERVER, points=101)) == (409, "points_out_of_range", None)
    assert told(claim(scoreboard, SERVER, actionId="quest", points=11)) == (409, "points_out_of_range", None)
    assert told(claim(scoreboard, (), actionId="quest", points=10)) == (403, "points_not_yours", None)
    assert told(claim(scoreboard, SERVER, points=1.5))[:2] == (422, "validation_failed")


def test_a_repeat_with_other_points_is_refused(scoreboard: Running) -> None:
    def keyed(points: int) -> httpx2.Response:
        return scoreboard.client.post(
            "/api/scores",
            json={"actionId": "prize", "userId": "ada", "points": points},
            headers={
                "Authorization": f"Bearer {scoreboard.token('game', scopes=SERVER)}",
                "Idempotency-Key": "k",
            },
        )

    assert keyed(5).status_code == 201
    assert keyed(5).headers["Idempotent-Replayed"] == "true"
    assert told(keyed(6)) == (422, "idempotency_key_reused", None)


@pytest.mark.parametrize("action", ["once", "seldom", "weekly"])
def test_of_concurrent_requests_on_two_instances_one_counts(
    tmp_path: Path, settings: dict[str, Any], action: str
) -> None:
    clock = HeldClock()
    with ExitStack() as stack:
        instances = [stack.enter_context(running(tmp_path, clock, **settings)) for _ in range(2)]
        token = instances[0].token("ada")
        pool = stack.enter_context(ThreadPoolExecutor(16))
        answers = Counter(
            response.status_code
            for response in pool.map(lambda n: instances[n % 2].score("ada", action, token=token), range(100))
        )
        assert answers == {201: 1, 409: 99}
        ledgers = (instances[0].ledger(board) for board in ("main", "league"))
        assert sum(event.kind is EventKind.AWARD for ledger in ledgers for event in ledger) == 1
