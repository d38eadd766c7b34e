"""A clock that ran ahead and was corrected refuses no player, and grants at most one additional window."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.clocks import START_US, HeldClock
from tests.harness import Running, running
from tests.web.administrator import admin, ask_admin
from tests.web.catalog_with_rules import CATALOG
from tests.web.problems import code
from tests.web.test_metrics import scraped

SECOND = 1_000_000
DAY = 86_400
YEAR = 365 * DAY

SEASONS = """
[actions.spring]
board = "main"
points = 10
title = "Spring"
valid_until = {until}
[actions.summer]
board = "main"
points = 10
title = "Summer"
valid_from = {until}
"""

Serve = Callable[..., AbstractContextManager[Running]]


@pytest.fixture
def serve(tmp_path: Path, deployment: dict[str, Any]) -> Serve:
    """Return a function that starts a new server on the test's database, with a clock ahead by seconds."""
    until = datetime.fromtimestamp(START_US / SECOND + 30 * DAY).astimezone().isoformat()
    (tmp_path / "catalog.toml").write_text(CATALOG + SEASONS.format(until=until))

    def serve(ahead: float = 0.0) -> AbstractContextManager[Running]:
        return running(tmp_path, HeldClock(START_US + round(ahead * SECOND)), **deployment)

    return serve


def codes(server: Running, *tries: tuple[str, str]) -> list[str]:
    """Submit one after the other. Return `ok` or the error's code for each."""
    answers = (server.score(user_id, action_id) for user_id, action_id in tries)
    return ["ok" if answer.status_code == 201 else str(answer.json()["code"]) for answer in answers]


AHEAD = {"seconds": 30.0, "hours": 5 * 3_600.0, "a day": DAY, "a year": YEAR, "a century": 100 * YEAR}


@pytest.mark.parametrize("ahead", AHEAD.values(), ids=AHEAD.keys())
def test_all_players_have_the_same_limit_after_the_clock_was_corrected(serve: Serve, ahead: float) -> None:
    with serve(ahead) as wrong:
        assert codes(wrong, ("ada", "quest"), ("bob", "visit")) == ["ok", "ok"]
    with serve(1) as right:
        for user in ("ada", "bob", "new"):
            answers = codes(right, *[(user, "quest"), (user, "visit")] * 6)
            assert answers[:10] == ["ok"] * 10
            # Submissions from when the clock ran ahead are forgiven once.
            assert answers[-1] == "rate_limited"
        assert int(right.score("new").headers["Retry-After"]) <= 60
        right.clock.advance(60)
        assert codes(right, ("ada", "quest"), ("bob", "visit"), ("new", "quest")) == ["ok"] * 3


def test_rules_of_actions_follow_the_corrected_clock(serve: Serve) -> None:
    with serve(YEAR) as wrong:
        answers = codes(wrong, *[("ada", action) for action in ("seldom", "daily", "spring", "summer")])
        assert answers == ["ok", "ok", "action_over", "ok"]
    with serve() as right:
        assert codes(right, ("ada", "spring"), ("ada", "summer")) == ["ok", "action_not_yet"]
        assert codes(right, ("ada", "seldom"), ("ada", "seldom")) == ["ok", "action_cooling_down"]
        assert codes(right, *[("ada", "daily")] * 3) == ["ok", "ok", "action_used_up_today"]
        right.clock.advance(30)
        assert codes(right, ("ada", "seldom"), ("bob", "seldom")) == ["ok", "ok"]
        right.clock.advance(DAY)
        assert codes(right, ("ada", "daily")) == ["ok"]


def test_idempotency_keys_and_totals_do_not_depend_on_the_clock(serve: Serve) -> None:
    with serve(YEAR) as wrong:
        first = wrong.score("ada", "once", key="k")
    with serve() as right:
        again = right.score("ada", "once", key="k")
        assert again.headers["Idempotent-Replayed"] == "true"
        assert again.json()["eventId"] == first.json()["eventId"]
        assert codes(right, ("ada", "once")) == ["action_used_up"]


def test_a_correction_of_the_clock_grants_one_additional_window(serve: Serve) -> None:
    with serve(YEAR) as wrong:
        assert codes(wrong, *[("ada", "quest")] * 11) == ["ok"] * 10 + ["rate_limited"]
    with serve() as right:
        assert codes(right, *[("ada", "quest")] * 11) == ["ok"] * 10 + ["rate_limited"]


@pytest.mark.parametrize("back", [0.2, 1.0])
def test_a_small_step_back_grants_no_additional_window(serve: Serve, back: float) -> None:
    with serve() as server:
        assert codes(server, *[("ada", "quest")] * 10, ("bob", "seldom")) == ["ok"] * 11
    with serve(-back) as server:
        # Also on a board whose own clock has not gone back.
        assert codes(server, ("ada", "quest"), ("ada", "visit"), ("bob", "seldom")) == [
            "rate_limited",
            "rate_limited",
            "action_cooling_down",
        ]


def test_a_board_has_the_corrected_time_after_the_next_score(serve: Serve) -> None:
    with serve(YEAR) as wrong:
        wrong.score("ada")
    with serve(5) as right:
        assert codes(right, ("bob", "quest")) == ["ok"]
        board = right.board()
        now = datetime.fromtimestamp(START_US / SECOND + 5).astimezone()
        times = [datetime.fromisoformat(entry["reachedAt"]) for entry in board["entries"]]
        assert datetime.fromisoformat(board["updatedAt"]) == times[1] == now != times[0]


def test_the_order_of_a_ledger_never_goes_back(serve: Serve) -> None:
    for ahead in (0, YEAR, 3, DAY, 4):
        with serve(ahead) as server:
            server.score(f"user-{ahead}")
    with serve(5) as server:
        times = [event.at_us for event in server.ledger()]
        assert times == sorted(times)


def test_the_wrong_clock_of_one_board_does_not_affect_another_one(serve: Serve) -> None:
    with serve(YEAR) as wrong:
        assert codes(wrong, ("ada", "quest")) == ["ok"]
    with serve() as right:
        tries = [(f"user-{number}", action) for number in range(5) for action in ("quest", "visit")]
        assert codes(right, *tries) == ["ok"] * 10
        assert {event.at_us for event in right.ledger("side")} == {START_US}


def test_a_jump_of_the_clock_refuses_scores_for_the_grace_period_and_is_then_accepted(
    tmp_path: Path, deployment: dict[str, Any]
) -> None:
    with running(tmp_path, metrics_port=0, **deployment) as server:
        clock = server.clock
        assert codes(server, ("ada", "quest")) == ["ok"]
        clock.set_ahead(YEAR)
        refused = server.score("bob")
        assert (refused.status_code, refused.json()["code"]) == (503, "clock_unsure")
        assert refused.headers["Retry-After"] == "30"
        assert server.client.get("/health/ready").json() == {"status": "ready", "degraded": ["clock"]}
        assert (scraped(server)["clock_unsure"], scraped(server)["clock_jumps_total"]) == (1, 1)
        assert len(server.ledger()) == 1
        assert server.board()["players"] == 1
        clock.advance(int(refused.headers["Retry-After"]))
        assert codes(server, ("bob", "quest")) == ["ok"]
        assert server.client.get("/health/ready").json()["degraded"] == []
        assert scraped(server)["clock_unsure"] == 0


def test_scores_are_accepted_at_once_when_the_clock_comes_back(serve: Serve) -> None:
    with serve() as server:
        assert codes(server, *[("ada", "quest")] * 11) == ["ok"] * 10 + ["rate_limited"]
        server.clock.set_ahead(YEAR)
        assert codes(server, ("bob", "quest")) == ["clock_unsure"]
        server.clock.set_ahead(-YEAR)
        assert codes(server, ("bob", "quest"), ("ada", "quest")) == ["ok", "rate_limited"]
        server.clock.advance(60)
        assert codes(server, ("ada", "quest")) == ["ok"]


def test_cached_refusals_end_when_the_clock_is_set(serve: Serve) -> None:
    with serve(50) as server:
        assert codes(server, *[("ada", "quest")] * 12) == ["ok"] * 10 + ["rate_limited"] * 2
        server.clock.set_ahead(-50)
        assert codes(server, ("ada", "quest")) == ["ok"]


def test_corrections_are_refused_after_a_jump_of_the_clock_too(
    tmp_path: Path, deployment: dict[str, Any]
) -> None:
    with running(tmp_path, admin_on_public_port=True, **deployment) as server:
        server.score("ada")

        server.clock.set_ahead(YEAR)
        assert code(ask_admin(server, "ban", userId="ada")) == (503, "clock_unsure")
        server.clock.set_ahead(-YEAR)
        assert admin(server, "ban", userId="ada")["events"] == 1


def test_a_void_since_a_time_uses_the_recorded_clock_readings(
    tmp_path: Path, deployment: dict[str, Any]
) -> None:
    for ahead in (0, YEAR):
        with running(tmp_path, HeldClock(START_US + ahead * SECOND), **deployment) as server:
            server.score("ada")
    with running(
        tmp_path, HeldClock(START_US + 60 * SECOND), admin_on_public_port=True, **deployment
    ) as server:
        server.score("ada")
        server.clock.advance(60)
        since = datetime.fromtimestamp(server.clock.us / SECOND).astimezone().isoformat()
        server.score("ada")
        voided = admin(server, "void-since", userId="ada", since=since)
        # The last event, and the one with a time in the future.
        assert voided["events"] == 2
        times = [event["at"] for event in admin(server, "history", userId="ada")["events"]]
        assert sorted(at[:4] for at in times) == ["2026"] * 5 + ["2027"]
