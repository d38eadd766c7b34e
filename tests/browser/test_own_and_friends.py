"""The own rank below the visible rows, the players of `user-ids`, and how scores are written."""

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.board_page import (
    PHONE,
    expect_live,
    expect_order,
    hold_clock,
    resize,
    set_attribute,
)
from tests.browser.browsers import visited, visiting
from tests.clocks import HeldClock
from tests.harness import Running, running
from tests.servers.process import until

CATALOG = """
[boards.race]
title = "Best lap"
aggregation = "best"
sort = "ascending"
ties = "shared"
columns = [{ id = "pit-stops", sort = "ascending" }, { id = "speed", decimals = 1 }]
decimals = 3
unit = "s"
rows = 3
[actions.lap]
board = "race"
title = "Lap"
by = "server"
points_range = [0, 600000]
columns_range = { pit-stops = [0, 9], speed = [0, 4000] }
"""

RANK = "/api/leaderboard/rank"


@pytest.fixture
def race(tmp_path: Path) -> Iterator[Running]:
    """Run a server whose board shows three rows, with decimals, columns and shared ranks."""
    (tmp_path / "catalog.toml").write_text(CATALOG)
    with running(tmp_path, HeldClock(), rate_limit="1000000/minute") as server:
        yield server


def lap(server: Running, user: str, milliseconds: int) -> None:
    token = server.token("game", scopes=("scores:write:any",))
    columns = {"pit-stops": 1, "speed": 2_811}
    response = server.client.post(
        "/api/scores",
        json={"actionId": "lap", "userId": user, "points": milliseconds, "columns": columns},
        headers={"Authorization": f"Bearer {token}"},
    )
    assert response.status_code == 201, response.text


def laps(server: Running, **milliseconds: int) -> None:
    for user, each in milliseconds.items():
        lap(server, user, each)


def requests_to(page: Page, path: str) -> list[str]:
    """Return a list of the requests that the page makes from now on."""
    urls: list[str] = []
    page.on("request", lambda each: urls.append(each.url) if urlsplit(each.url).path == path else None)
    return urls


def ranks(page: Page) -> list[str]:
    return page.locator("tbody .rank > span:first-child").all_inner_texts()


def test_scores_have_decimals_and_a_unit_and_columns_are_shown_where_there_is_room(
    browser: Browser, race: Running
) -> None:
    laps(race, ada=61_250, bob=1_061_250 - 600_000)
    with visited(browser, race.url, viewport={"width": 1_366, "height": 768}) as page:
        expect(page.locator("tbody .score")).to_have_text(["61.250\u00a0s", "461.250\u00a0s"])
        expect(page.get_by_role("columnheader")).to_have_text(
            ["Rank", "Player", "Score", "Pit stops", "Speed"]
        )
        expect(page.locator("tbody tr").first.locator(".column")).to_have_text(["1", "281.1"])
        expect(page.locator("tbody .column").last).to_be_visible()
        resize(page, PHONE["width"])
        expect(page.locator("tbody .column").first).to_be_hidden()
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_the_own_row_is_shown_below_the_board_with_its_neighbours(chromium: Browser, race: Running) -> None:
    laps(race, ada=10, bob=20, cyd=30, dan=40, eve=50, fay=50, gus=60)
    with visited(chromium, race.url) as page:
        expect_order(page, "ada", "bob", "cyd")
        set_attribute(page, "player", "fay")
        expect_order(page, "ada", "bob", "cyd", "eve", "fay", "gus")
        assert ranks(page) == ["1", "2", "3", "5", "5", "7"]
        expect(page.locator("tr.own bdi")).to_have_text("fay")
        # The neighbour above is on the board already.
        set_attribute(page, "player", "dan")
        expect_order(page, "ada", "bob", "cyd", "dan", "eve")
        set_attribute(page, "player", "bob")
        expect_order(page, "ada", "bob", "cyd")
        set_attribute(page, "player", "nobody")
        expect(page.get_by_text("You are not on this board yet.")).to_be_visible()
        lap(race, "nobody", 5)
        expect_order(page, "nobody", "ada", "bob")
        expect(page.get_by_text("You are not on this board yet.")).to_be_hidden()


def test_the_own_rank_is_read_once_a_second_at_most_and_never_without_a_player(
    chromium: Browser, race: Running
) -> None:
    laps(race, ada=100, bob=200, cyd=300, dan=400)
    with visiting(chromium, race.url) as context:
        page = context.new_page()
        requests = requests_to(page, RANK)
        page.clock.install()
        page.goto(race.url)
        expect_order(page, "ada", "bob", "cyd")
        page.evaluate(
            """async () => {
              const { watch } = await import("/static/scoreboard.js");
              watch(location.href, { onBoard: ({ version }) => (window.received = version) });
            }"""
        )

        def is_at(version: int) -> Callable[[], bool]:
            return lambda: page.evaluate("window.received") == version

        hold_clock(page)
        lap(race, "ada", 90)
        until(is_at(5), "the change is received")
        page.clock.run_for(5_000)
        assert requests == []
        set_attribute(page, "player", "dan")
        page.clock.run_for(0)
        expect_order(page, "ada", "bob", "cyd", "dan")
        assert len(requests) == 1
        for version in range(6, 10):
            lap(race, "ada", 90 - version)
            until(is_at(version), "the change is received")
            page.clock.run_for(200)
        assert len(requests) <= 2
        page.clock.run_for(3_000)
        until(lambda: len(requests) >= 2, "the rank is read again")
        assert len(requests) <= 4
        page.clock.run_for(2_000)
        page.evaluate("fetch('/health/live').then(() => {})")
        before = len(requests)
        for _ in range(5):
            page.evaluate("document.querySelector('score-board').refresh()")
            page.clock.run_for(100)
            # The answer to an earlier request is there by then.
            page.evaluate("fetch('/health/live').then((response) => response.text()).then(() => {})")
        assert len(requests) == before + 1


def test_a_set_of_players_is_shown_with_both_ranks(browser: Browser, race: Running) -> None:
    laps(race, ada=10, bob=20, cyd=20, dan=30, eve=40)
    with visited(browser, race.url) as page:
        expect_live(page)
        set_attribute(page, "player", "cyd")
        set_attribute(page, "user-ids", "eve,cyd,bob,zoe")
        expect_order(page, "bob", "cyd", "eve")
        assert ranks(page) == ["1", "1", "3"]
        expect(page.locator("tbody .overall")).to_have_text(["2", "2", "5"])
        expect(page.locator("caption")).to_have_text("3 of 5 players")
        expect(page.get_by_text("Not on this board: zoe")).to_be_visible()
        expect(page.locator("tr.own bdi")).to_have_text("cyd")
        resize(page, PHONE["width"])
        assert max(page.locator("tbody tr").evaluate_all("rows => rows.map((row) => row.offsetHeight)")) < 50
        lap(race, "eve", 5)
        expect_order(page, "eve", "bob", "cyd")
        expect(page.locator("tbody .overall")).to_have_text(["1", "3", "3"])
        assert page.evaluate("document.querySelector('score-board').userIds") == ["eve", "cyd", "bob", "zoe"]
        page.evaluate("document.querySelector('score-board').userIds = []")
        expect_order(page, "eve", "ada", "bob", "cyd", "dan")
