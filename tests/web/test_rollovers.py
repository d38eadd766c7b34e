"""Periods end at their boundary, whether or not something is submitted."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from scoreboard.app import make_ranking, make_store
from scoreboard.domain.events import Event, EventKind
from scoreboard.services.verify import verify
from scoreboard.settings.catalog import load_catalog
from tests.clocks import HeldClock
from tests.harness import UNLIMITED, Running, running
from tests.servers.postgresql import apart
from tests.servers.process import until
from tests.web.administrator import admin
from tests.web.problems import code

CATALOG = """
[boards.main]
title = "League"
periods = ["day", "week", "month"]
timezone = "Europe/Berlin"
[boards.side]
title = "Side"
[actions.win]
board = "main"
points = 3
title = "Win"
[actions.boss]
board = "main"
points = 10
title = "Boss"
max_per_period = { day = 1, week = 2 }
"""

HOUR = 3_600
DAY = 24 * HOUR

ALL_PERIODS = ("day", "week", "month")


def at(year: int, month: int, day: int, hour: int = 12, timezone: str = "Europe/Berlin") -> HeldClock:
    """Return a clock that shows a local time."""
    moment = datetime(year, month, day, hour, tzinfo=ZoneInfo(timezone))
    return HeldClock(round(moment.timestamp()) * 1_000_000)


@contextmanager
def league(
    folder: Path, clock: HeldClock, deployment: dict[str, Any], catalog: str = CATALOG
) -> Iterator[Running]:
    (folder / "catalog.toml").write_text(catalog)
    settings = {**deployment, "rate_limit": UNLIMITED, "admin_on_public_port": True}
    with running(folder, clock, **settings) as server:
        yield server
        check_books(server)


def win(server: Running, user_id: str) -> dict[str, Any]:
    response = server.score(user_id, "win")
    assert response.status_code == 201, response.text
    document: dict[str, Any] = response.json()
    return document


def rows(board: dict[str, Any]) -> list[tuple[int, str, int]]:
    return [(entry["rank"], entry["userId"], entry["score"]) for entry in board["entries"]]


def rollovers(server: Running) -> list[Event]:
    return [event for event in server.ledger() if event.kind is EventKind.ROLLOVER]


def check_books(server: Running) -> None:
    """Check that the ledger, the standings and the ranking of a server agree."""

    async def check() -> None:
        catalog = load_catalog(server.settings.catalog)
        async with make_store(server.settings, server.clock) as store:
            if server.settings.is_distributed:
                async with make_ranking(server.settings, catalog.boards) as ranking:
                    verdict = await verify(store, ranking, "main", lambda *_: None)
            else:
                verdict = await verify(store, None, "main", lambda *_: None)
        assert verdict.differences == ()

    apart(check())


def test_a_period_ends_without_a_submission(tmp_path: Path, deployment: dict[str, Any]) -> None:
    with league(tmp_path, at(2026, 11, 29, 23), deployment) as server:
        win(server, "ada")
        assert [event.period for event in rollovers(server)] == ["2026-11-29", "2026-W48", "2026-11"]
        server.clock.advance(HOUR + 1)
        until(lambda: server.board(period="week")["period"] == "2026-W49", "the week has ended")
        day, week, month = (server.board(period=period) for period in ALL_PERIODS)
        assert (day["period"], day["version"], day["entries"]) == ("2026-11-30", 6, [])
        assert (week["period"], week["version"], week["entries"]) == ("2026-W49", 6, [])
        assert (month["period"], month["version"], rows(month)) == ("2026-11", 6, [(1, "ada", 3)])
        assert rows(server.board()) == [(1, "ada", 3)]
        assert rows(server.board(period="week", ago=1)) == [(1, "ada", 3)]
        assert [event.period for event in rollovers(server)[3:]] == ["2026-11-30", "2026-W49"]


def test_a_day_a_week_and_a_month_end_at_one_moment(tmp_path: Path, deployment: dict[str, Any]) -> None:
    # 1 June 2026 is a Monday.
    with league(tmp_path, at(2026, 5, 31, 23), deployment) as server:
        win(server, "ada")
        server.clock.advance(HOUR + 1)
        until(lambda: len(rollovers(server)) == 6, "the periods have ended")
        ended = rollovers(server)[3:]
        assert [event.period for event in ended] == ["2026-06-01", "2026-W23", "2026-06"]
        midnight = at(2026, 6, 1, 0).us
        assert {event.boundary_us for event in ended} == {midnight}
        answer = win(server, "bob")
        assert answer["periods"] == {
            period: {"score": 3, "rank": 1} for period in ("2026-06-01", "2026-W23", "2026-06")
        }
        assert answer["rank"] == 2


def test_boundaries_that_were_missed_have_one_rollover_for_each_kind(
    tmp_path: Path, deployment: dict[str, Any]
) -> None:
    clock = at(2026, 11, 18)
    with league(tmp_path, clock, deployment) as server:
        win(server, "ada")
    clock.advance(40 * DAY)
    with league(tmp_path, clock, deployment) as server:
        until(lambda: len(rollovers(server)) == 6, "the periods have ended")
        assert [event.period for event in rollovers(server)[3:]] == ["2026-12-28", "2026-W53", "2026-12"]
        assert server.board(period="month")["entries"] == []
        assert rows(server.board(period="2026-11")) == [(1, "ada", 3)]
        assert server.board(period="2026-W50")["entries"] == []


def test_a_clock_that_goes_back_begins_no_period_again(tmp_path: Path, deployment: dict[str, Any]) -> None:
    with league(tmp_path, at(2026, 11, 29, 23), deployment) as server:
        win(server, "ada")
        server.clock.advance(HOUR + 1)
        until(lambda: len(rollovers(server)) == 5, "the day and the week have ended")
        server.clock.set_ahead(-30)
        assert win(server, "bob")["periods"].keys() == {"2026-11-30", "2026-W49", "2026-11"}
        assert len(rollovers(server)) == 5


def test_an_action_counts_so_often_in_a_period_and_again_after_the_rollover(
    tmp_path: Path, deployment: dict[str, Any]
) -> None:
    def boss(server: Running) -> tuple[int, str | None, str | None]:
        answer = server.score("ada", "boss")
        return answer.status_code, answer.json().get("code"), answer.headers.get("Retry-After")

    counted, used_up = (201, None, None), (409, "action_used_up_period")
    with league(tmp_path, at(2026, 11, 28), deployment) as server:
        assert boss(server) == counted
        assert boss(server) == (*used_up, str(12 * HOUR))
        assert server.score("bob", "boss").status_code == 201
        server.clock.advance(DAY)
        assert boss(server) == counted
        assert boss(server) == (*used_up, str(12 * HOUR))
        # The commit of this submission rolls over first.
        server.clock.advance(12 * HOUR)
        assert boss(server) == counted
        server.clock.set_ahead(-30)
        assert boss(server) == (*used_up, str(DAY + 30))
        server.clock.advance(DAY + 30)
        assert boss(server) == counted
        server.clock.advance(DAY)
        # The week is used up until Monday.
        assert boss(server) == (*used_up, str(5 * DAY))


def test_a_board_without_events_has_no_rollovers(tmp_path: Path, deployment: dict[str, Any]) -> None:
    with league(tmp_path, at(2026, 11, 29, 23), deployment, TWO_LEAGUES) as server:
        server.score("ada", "win")
        server.clock.advance(HOUR + 1)
        until(lambda: len(rollovers(server)) == 5, "the other board has rolled over")
        assert server.ledger("side") == []
        empty = server.board(board="side", period="week")
        assert (empty["period"], empty["version"], empty["entries"]) == ("2026-W49", 0, [])


TWO_LEAGUES = CATALOG.replace(
    'title = "Side"', 'title = "Side"\nperiods = ["week"]\ntimezone = "Europe/Berlin"'
)


@pytest.mark.parametrize("deployment", ["distributed"], indirect=True)
def test_two_instances_at_the_boundary_append_one_rollover(
    tmp_path: Path, deployment: dict[str, Any]
) -> None:
    clock = at(2026, 11, 29, 23)
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    with (
        league(tmp_path / "one", clock, deployment) as one,
        league(tmp_path / "two", clock, deployment) as two,
    ):
        win(one, "ada")
        for count in (5, 7, 8):
            clock.advance(DAY)
            until(lambda: len(rollovers(one)) == count, "the day has ended")  # noqa: B023
            for server in (one, two):
                until(lambda: server.board(period="day")["entries"] == [], "both instances show it")  # noqa: B023
        periods = [event.period for event in rollovers(one)]
        assert len(set(periods)) == len(periods) == 8
        assert win(two, "bob")["periods"].keys() == win(one, "bob")["periods"].keys()


ZONES = {
    # Midnight is skipped: the day begins at 1:00.
    "America/Santiago": (at(2026, 9, 5, 22, "America/Santiago"), "2026-09-06", "2026-09-06T04:00:00+00:00"),
    "Africa/Cairo": (at(2026, 4, 23, 22, "Africa/Cairo"), "2026-04-24", "2026-04-23T22:00:00+00:00"),
    "America/Havana": (at(2026, 3, 7, 22, "America/Havana"), "2026-03-08", "2026-03-08T05:00:00+00:00"),
    # 30 December 2011 does not exist.
    "Pacific/Apia": (at(2011, 12, 29, 22, "Pacific/Apia"), "2011-12-31", "2011-12-30T10:00:00+00:00"),
    # Half an hour is skipped, or repeated.
    "Australia/Lord_Howe": (
        at(2026, 10, 3, 23, "Australia/Lord_Howe"),
        "2026-10-04",
        "2026-10-03T13:30:00+00:00",
    ),
}


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("deployment", ["embedded"], indirect=True)
def test_a_day_begins_at_its_first_moment_in_the_time_zone(
    tmp_path: Path, zone: str, deployment: dict[str, Any]
) -> None:
    clock, next_day, begins = ZONES[zone]
    clock = HeldClock(clock.us)
    catalog = (
        CATALOG.replace("Europe/Berlin", zone)
        .replace('"day", "week", "month"', '"day"')
        .replace(", week = 2", "")
    )
    boundary_us = round(datetime.fromisoformat(begins).timestamp()) * 1_000_000
    with league(tmp_path, clock, deployment, catalog) as server:
        clock.advance((boundary_us - clock.us) / 1_000_000 - 1)
        win(server, "ada")
        assert len(rollovers(server)) == 1
        clock.advance(2)
        until(lambda: len(rollovers(server)) == 2, "the day has ended")
        last = rollovers(server)[-1]
        assert (last.period, last.boundary_us) == (next_day, boundary_us)


def test_a_stream_of_a_week_shows_the_next_one_when_it_ends(
    tmp_path: Path, deployment: dict[str, Any]
) -> None:
    stream = "/api/leaderboard/stream?delta=1"
    with league(tmp_path, at(2026, 11, 29, 23), deployment) as server:
        win(server, "ada")
        with server.watch(f"{stream}&period=week") as week, server.watch(f"{stream}&period=all") as all_time:
            first = week.frame()
            assert (first["period"], rows(first)) == ("2026-W48", [(1, "ada", 3)])
            assert "period" not in all_time.frame()
            server.clock.advance(HOUR + 1)
            empty = week.frame()
            assert (empty["period"], empty["version"], empty["entries"]) == ("2026-W49", 6, [])
            win(server, "bob")
            assert rows(week.frame()) == [(1, "bob", 3)]
            assert rows(all_time.frame()) == [(1, "ada", 3), (2, "bob", 3)]


def test_a_stream_shows_so_many_rows_as_it_asks_for(tmp_path: Path, deployment: dict[str, Any]) -> None:
    with league(tmp_path, at(2026, 11, 18), deployment) as server:
        for user_id in ("ada", "bob", "cyd"):
            win(server, user_id)
        path = "/api/leaderboard/stream?period=day&limit=2"
        with server.watch(path) as day, server.watch() as everything:
            assert rows(day.frame()) == [(1, "ada", 3), (2, "bob", 3)]
            assert len(everything.frame()["entries"]) == 3
            win(server, "cyd")
            changed = day.frame()
            assert (rows(changed), changed["players"]) == ([(1, "cyd", 6), (2, "ada", 3)], 3)


def test_a_stream_of_a_period_that_a_board_does_not_have_is_refused(
    tmp_path: Path, deployment: dict[str, Any]
) -> None:
    with league(tmp_path, at(2026, 11, 18), deployment) as server:
        for parameters, expected in (
            ({"board": "side", "period": "week"}, (404, "unknown_period")),
            ({"period": "2026-W47"}, (422, "validation_failed")),
            ({"limit": "101"}, (422, "validation_failed")),
        ):
            refused = server.client.get("/api/leaderboard/stream", params=parameters)
            assert code(refused) == expected


def test_a_correction_in_a_week_changes_its_streams(tmp_path: Path, deployment: dict[str, Any]) -> None:
    with league(tmp_path, at(2026, 11, 18), deployment) as server:
        win(server, "ada")
        win(server, "bob")
        with server.watch("/api/leaderboard/stream?period=week") as week:
            assert rows(week.frame()) == [(1, "ada", 3), (2, "bob", 3)]
            assert admin(server, "ban", userId="ada")
            assert rows(week.frame()) == [(1, "bob", 3)]


def test_a_void_changes_the_periods_of_its_event_also_those_that_are_over(
    tmp_path: Path, deployment: dict[str, Any]
) -> None:
    with league(tmp_path, at(2026, 11, 28), deployment) as server:
        first = win(server, "ada")
        win(server, "ada")
        win(server, "bob")
        server.clock.advance(DAY)
        win(server, "bob")
        assert rows(server.board(period="day", ago=1)) == [(1, "ada", 6), (2, "bob", 3)]
        assert admin(server, "void", board="main", version=first["version"])["events"] == 1
        assert rows(server.board(period="2026-11-28")) == [(1, "ada", 3), (2, "bob", 3)]
        assert rows(server.board(period="week")) == [(1, "bob", 6), (2, "ada", 3)]
        assert rows(server.board(period="day")) == [(1, "bob", 3)]
        server.clock.advance(2 * DAY)
        until(lambda: server.board(period="month")["period"] == "2026-12", "the month has ended")
        assert admin(server, "unvoid", board="main", version=first["version"])["events"] == 1
        assert rows(server.board(period="2026-11")) == [(1, "ada", 6), (2, "bob", 6)]
        assert server.board(period="month")["entries"] == []
