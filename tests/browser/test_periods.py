"""Tabs for periods: countdowns, rollovers, earlier periods, and streams that are kept apart."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.board_page import (
    ANIMATIONS_FINISH,
    PHONE,
    assert_accessible,
    expect_live,
    expect_order,
    set_attribute,
)
from tests.browser.browsers import visited, visiting
from tests.clocks import HeldClock
from tests.harness import Running, running
from tests.servers.process import until

CATALOG = """
[boards.club]
title = "Running club"
periods = ["day", "week", "month"]
decimals = 1
unit = "km"
[boards.side]
title = "Side"
opens_at = 2026-12-24T18:00:00Z
[boards.over]
title = "Over"
closes_at = 2026-11-01T00:00:00Z
[actions.run]
board = "club"
title = "Run"
points = 52
[actions.walk]
board = "club"
title = "Walk"
points = 8
"""

WEDNESDAY_US = 1_795_000_000_000_000
"""2026-11-18, of week 47."""

WEEK_SECONDS = 7 * 86_400

PERIOD = ".period"


@pytest.fixture
def club(tmp_path: Path) -> Iterator[Running]:
    """Run a server in demo mode, whose first board has days, weeks and months."""
    (tmp_path / "catalog.toml").write_text(CATALOG)
    with running(tmp_path, HeldClock(WEDNESDAY_US), is_demo=True, rate_limit="1000000/minute") as server:
        yield server


def tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name).click()


def test_a_tab_shows_its_period_counts_down_and_follows_the_rollover(browser: Browser, club: Running) -> None:
    club.score("ada", "run")
    with visited(browser, club.url) as page:
        expect_order(page, "ada")
        expect(page.get_by_role("tab")).to_have_text(["All time", "Today", "This week", "This month"])
        expect(page.locator(PERIOD)).to_be_hidden()
        tab(page, "This week")
        expect(page.locator(PERIOD)).to_have_text(re.compile(r"^This week · ends in 4 d \d+ h$"))
        expect_order(page, "ada")
        club.clock.advance(WEEK_SECONDS)
        expect(page.get_by_text("Nobody has scored yet")).to_be_visible()
        expect(page.locator(PERIOD)).to_have_text(re.compile(r"^This week · ends in 4 d \d+ h$"))
        club.score("bob", "walk")
        expect_order(page, "bob")
        expect(page.locator("tbody .score")).to_have_text("0.8\u00a0km")
        tab(page, "All time")
        expect_order(page, "ada", "bob")


def test_earlier_periods_are_read_without_a_stream_and_the_address_keeps_them(
    chromium: Browser, club: Running
) -> None:
    club.score("ada", "run")
    club.clock.advance(WEEK_SECONDS)
    club.score("bob", "walk")
    with visited(chromium, f"{club.url}/?period=week") as page:
        expect_order(page, "bob")
        expect(page.get_by_role("button", name="Later")).to_be_disabled()
        requested: list[str] = []
        page.on("request", lambda request: requested.append(request.url))
        page.get_by_role("button", name="Earlier").click()
        expect_order(page, "ada")
        expect(page.locator(PERIOD)).to_have_text("Week 47, 2026 · ended")
        expect(page.locator(".state")).to_be_hidden()
        paths = [urlsplit(url).path for url in requested]
        assert [path for path in paths if path.startswith("/api/")] == ["/api/leaderboard"]
        page.get_by_role("button", name="Earlier").click()
        expect(page.get_by_text("Nobody scored in this period.")).to_be_visible()
        page.get_by_role("button", name="Later").click()
        expect_order(page, "ada")
        assert parse_qs(urlsplit(page.url).query) == {"period": ["week"], "ago": ["1"]}
        page.reload()
        expect_order(page, "ada")
        page.get_by_role("button", name="Later").click()
        expect_order(page, "bob")
        expect_live(page)
        # Of a certain period, the element names the week, too.
        page.evaluate("document.querySelector('score-board').setAttribute('period', '2026-W48')")
        expect(page.locator(PERIOD)).to_have_text(re.compile("^This week · ends in "))


def test_no_message_of_one_stream_reaches_another(chromium: Browser, club: Running) -> None:
    """Tabs of one browser share a stream only if their board, period and limit are the same."""
    for number in range(3):
        club.score(f"user-{number}", "run")
    with visiting(chromium, club.url) as context:
        pages = [context.new_page() for _ in range(4)]
        for page, query in zip(pages, ("", "?period=week", "?period=day", "?period=week"), strict=True):
            page.goto(f"{club.url}/{query}")
            expect_order(page, "user-0", "user-1", "user-2")
        set_attribute(pages[3], "limit", "2")
        expect_order(pages[3], "user-0", "user-1")
        for page in pages:
            page.evaluate(
                """() => {
                  window.seen = [];
                  document.querySelector("score-board").addEventListener("board", ({ detail }) => {
                    seen.push([detail.period ?? "all", detail.entries.length]);
                  });
                }"""
            )
        club.clock.advance(86_400)
        club.score("user-2", "walk")
        expect_order(pages[0], "user-2", "user-0", "user-1")
        expect_order(pages[1], "user-2", "user-0", "user-1")
        expect_order(pages[2], "user-2")
        expect_order(pages[3], "user-2", "user-0")
        seen = [{(kind, rows) for kind, rows in page.evaluate("seen")} for page in pages]
        assert {kind for kind, _ in seen[0]} == {"all"}
        assert seen[1] <= {("2026-W47", 3)}
        assert {kind for kind, _ in seen[2]} == {"2026-11-19"}
        assert seen[3] == {("2026-W47", 2)}
        assert club.scoreboard.hub.streams <= 3


def test_tabs_work_by_keyboard_and_axe_finds_nothing(chromium: Browser, club: Running) -> None:
    club.score("ada", "run")
    with visited(chromium, club.url) as page:
        expect_order(page, "ada")
        page.get_by_role("tab", name="All time").focus()
        for key, name in (("ArrowRight", "Today"), ("End", "This month"), ("ArrowRight", "All time")):
            page.keyboard.press(key)
            chosen = page.get_by_role("tab", name=name)
            expect(chosen).to_be_focused()
            expect(chosen).to_have_attribute("aria-selected", "true")
            expect(page.get_by_role("tabpanel", name=name)).to_be_visible()
        for _ in range(2):
            page.keyboard.press("ArrowLeft")
        expect_order(page, "ada")
        page.evaluate(ANIMATIONS_FINISH)
        assert_accessible(page)
        page.get_by_role("button", name="Earlier").click()
        expect(page.locator(PERIOD)).to_have_text("Week 46, 2026 · ended")
        assert_accessible(page)


def test_tabs_fit_a_phone(browser: Browser, club: Running) -> None:
    with visited(browser, f"{club.url}/?period=week", viewport=PHONE) as page:
        expect_live(page)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        tops = page.get_by_role("tab").evaluate_all("tabs => tabs.map((tab) => tab.offsetTop)")
        assert len(set(tops)) == 1


def test_a_board_that_is_not_open_yet_or_closed_says_so(chromium: Browser, club: Running) -> None:
    with visited(chromium, f"{club.url}/?board=side") as page:
        expect(page.locator(PERIOD)).to_have_text(re.compile(r"^Opens .*2026.* · in 36 d \d+ h$"))
        page.get_by_role("link", name="Over").click()
        expect(page.locator(PERIOD)).to_have_text(re.compile(r"^Closed since .*2026"))
        assert page.get_by_role("link", name="Over").get_attribute("aria-current") == "page"


def test_a_visitor_of_the_demo_sees_the_score_of_the_shown_period(chromium: Browser, club: Running) -> None:
    with visited(chromium, f"{club.url}/?period=day") as page:
        page.get_by_role("button", name="Take a name").click()
        run = page.get_by_role("button", name="Run +5.2\u00a0km")
        run.click()
        expect(page.locator("#outcome")).to_have_text("+5.2\u00a0km: you have 5.2\u00a0km and rank 1.")
        club.clock.advance(3_600 * 14)
        expect(page.get_by_text("Nobody has scored yet")).to_be_visible()
        run.click()
        expect(page.locator("#outcome")).to_have_text("+5.2\u00a0km: you have 5.2\u00a0km and rank 1.")
        until(lambda: len(club.ledger("club")) >= 3, "both runs and the rollover are in the ledger")
        tab(page, "All time")
        expect(page.locator("tbody .score")).to_have_text("10.4\u00a0km")
