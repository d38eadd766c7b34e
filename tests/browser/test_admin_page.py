"""The administrators' page."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from scoreboard.domain.scopes import ADMINISTER
from tests.browser.board_page import LOST, MARKUP, assert_accessible, expect_live, expect_order
from tests.browser.browsers import visited
from tests.clocks import HeldClock
from tests.harness import Running, running


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path, HeldClock(), rate_limit="1000000/minute", admin_on_public_port=True) as server:
        yield server


def enter(page: Page, server: Running, token: str | None = None) -> None:
    page.goto(f"{server.url}/admin")
    page.get_by_label("Token").fill(token or server.token("root", scopes=(ADMINISTER,)))
    page.get_by_role("button", name="Sign in").click()


@contextmanager
def administering(browser: Browser, server: Running, **options: Any) -> Iterator[Page]:
    with visited(browser, f"{server.url}/admin", **options) as page:
        enter(page, server)
        expect(page.get_by_role("tab", name="Players")).to_be_visible()
        yield page


def choose(page: Page, name: str) -> None:
    page.locator("#list").get_by_role("button", name=name).click()
    expect(page.locator("#player-title")).to_contain_text(name)


def correct(
    page: Page, action: str, confirm: str | None = None, reason: str = "a test", **fields: str
) -> None:
    """Press a button, fill its dialog in, and send it."""
    page.locator("#player").get_by_role("button", name=action).first.click()
    dialog = page.get_by_role("dialog")
    for label, value in fields.items():
        dialog.get_by_label(label.capitalize()).fill(value)
    dialog.get_by_label("Reason").fill(reason)
    dialog.get_by_role("button", name=confirm or action, exact=True).click()


def test_a_dialog_shows_invisible_characters_of_a_user_id(chromium: Browser, server: Running) -> None:
    ids = {"\u202eada": r"\u{202e}ada", "\u200b\u3164": r"\u{200b}\u{3164}"}
    for user_id in ids:
        server.score(user_id)
    with administering(chromium, server) as page:
        listed = page.locator("#list").get_by_role("button")
        for button, shown in zip(listed.all(), [ids[user_id] for user_id in sorted(ids)], strict=True):
            button.click()
            expect(page.locator("#player-id")).to_have_text(f"User id {shown}")
            page.locator("#player").get_by_role("button", name="Ban").first.click()
            expect(page.get_by_role("dialog").get_by_role("heading")).to_have_text(f"Ban {shown}")
            page.keyboard.press("Escape")


def test_a_banned_or_hidden_player_leaves_every_screen_and_returns(browser: Browser, server: Running) -> None:
    server.score("ada", name="Ada")
    server.score("bob", "duel", name="Bob")
    with administering(browser, server) as page, visited(browser, server.url) as board:
        expect_live(board)
        expect_order(board, "Ada", "Bob")
        choose(page, "Ada")
        for version, action, reverse, badge in (
            (3, "Ban", "Unban", "banned"),
            (5, "Hide …", "Show …", "hidden"),
        ):
            verb = action.removesuffix(" …")
            correct(page, action, verb, reason=f"{verb}: scores by a script")
            expect_order(board, "Bob")
            expect(page.locator("#outcome")).to_have_text(
                f"{verb} ada: done by 1 event; main is at version {version}."
            )
            expect(page.locator("#player-title .badge")).to_have_text(badge)
            expect(page.locator("#list .badge")).to_have_text(badge)
            correct(page, reverse, reverse.removesuffix(" …"))
            expect_order(board, "Ada", "Bob")
            expect(page.locator("#list .badge")).to_have_count(0)
        page.get_by_role("tab", name="Audit log").click()
        expect(page.locator("#log tr")).to_have_count(4)
        expect(page.locator("#log tr").nth(1)).to_contain_text("Hide: scores by a script")
        expect(page.locator("#log tr").nth(3)).to_contain_text("Ban: scores by a script")


def test_a_name_is_replaced_cleared_and_released_on_every_screen(chromium: Browser, server: Running) -> None:
    server.score("ada", name="Rude Word")
    with administering(chromium, server) as page, visited(chromium, server.url) as board:
        expect_live(board)
        expect_order(board, "Rude Word")
        choose(page, "Rude Word")
        expect(page.get_by_role("button", name="Release name …")).to_be_hidden()
        correct(page, "Rename …", "Rename", name="Kinder Word")
        expect_order(board, "Kinder Word")
        expect(page.locator("#outcome")).to_have_text("Rename ada: done by 1 event; main is at version 2.")
        expect(page.locator("#player-title")).to_have_text("Kinder Word name kept")
        server.score("ada", name="Rude Word")
        correct(page, "Clear name …", "Clear")
        expect_order(board, "ada")
        expect(page.get_by_role("button", name="Clear name …")).to_be_hidden()
        correct(page, "Release name …", "Release")
        expect(page.locator("#player-title .badge")).to_have_count(0)
        server.score("ada", name="Ada")
        expect_order(board, "Ada")
        expect(page.locator("#history b").first).to_have_text("release-name")


def test_an_event_is_voided_and_restored(browser: Browser, server: Running) -> None:
    server.score("ada")
    server.score("ada", "duel")
    with administering(browser, server) as page:
        choose(page, "ada")
        correct(page, "Void: version 1 of main", "Void")
        expect(page.locator("#standings")).to_have_text("main 30")
        expect(page.locator("#history tr .badge")).to_have_text("void")
        correct(page, "Undo void: version 1 of main", "Undo void")
        expect(page.locator("#standings")).to_have_text("main 80")
        expect(page.locator("#history tr b")).to_have_text(["unvoid", "void", "award", "award"])
        correct(page, "Void since …", "Void them", since="2020-01-01T00:00:01")
        expect(page.locator("#standings")).to_have_text("main 0")


def test_an_adjustment_counts_once_although_its_answer_was_lost(chromium: Browser, server: Running) -> None:
    server.score("ada")
    with administering(chromium, server, expected=LOST) as page:
        keys: list[str | None] = []

        def lose_the_first_answer(route: Any, request: Request) -> None:
            keys.append(request.headers.get("idempotency-key"))
            if len(keys) > 1:
                route.continue_()
                return
            route.fetch()
            route.abort()

        page.route("**/api/admin/adjust", lose_the_first_answer)
        choose(page, "ada")
        correct(page, "Adjust …", "Adjust", points="-20")
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_role("alert")).to_have_text(
            "There is no answer. Try again here: it is done once."
        )
        dialog.get_by_role("button", name="Adjust", exact=True).click()
        expect(page.locator("#outcome")).to_contain_text("done by 1 event; main is at version 2")
        expect(page.locator("#standings")).to_have_text("main 30")
        correct(page, "Adjust …", "Adjust", points="9007199254740991")
        expect(dialog.get_by_role("alert")).to_have_text(re.compile("score", re.IGNORECASE))
        assert keys[0] is not None
        assert keys[0] == keys[1] != keys[2]


def test_a_bad_token_is_explained_and_no_token_is_stored(chromium: Browser, server: Running) -> None:
    with visited(chromium, f"{server.url}/admin", expected=LOST) as page:
        for token, explanation in {
            "nonsense": "The token is not valid.",
            "héllo wörld": "The token is not valid.",
            server.token("ada"): "The token does not have the scope scoreboard:admin.",
        }.items():
            enter(page, server, token)
            expect(page.locator("#refused")).to_have_text(explanation)
            expect(page.locator("#views")).to_be_hidden()
        enter(page, server)
        expect(page.locator("#views")).to_be_visible()
        assert page.get_by_label("Token").input_value() == ""
        stored = page.evaluate(
            "JSON.stringify([localStorage, sessionStorage, document.cookie, location.href])"
        )
        assert json.loads(stored) == [{}, {}, "", f"{server.url}/admin"]
        server.clock.advance(7_200)
        page.get_by_role("button", name="Search").click()
        expect(page.locator("#refused")).to_have_text("The token has expired: get a new one.")
        expect(page.locator("#views")).to_be_hidden()


def test_an_erasure_requires_the_user_id_to_be_typed(chromium: Browser, server: Running) -> None:
    server.score("ada", name="Ada")
    with administering(chromium, server) as page:
        choose(page, "Ada")
        page.get_by_role("button", name="Erase …").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Reason").fill("asked for it")
        dialog.get_by_label("Type the user id").fill("Ada")
        dialog.get_by_role("button", name="Erase for good").click()
        expect(dialog.get_by_role("alert")).to_have_text("That is not the user id of this player.")
        assert len(server.ledger()) == 1
        dialog.get_by_label("Type the user id").fill("ada")
        dialog.get_by_role("button", name="Erase for good").click()
        expect(page.locator("#outcome")).to_contain_text("Erase ada: done")
        expect(page.locator("#player")).to_be_hidden()
        expect(page.get_by_text("No players were found.")).to_be_visible()


def test_suspects_and_older_events_are_listed(chromium: Browser, server: Running) -> None:
    for _ in range(60):
        server.score("machine", "duel")
        server.clock.advance(30)
    with administering(chromium, server) as page:
        page.get_by_role("tab", name="Players").focus()
        page.keyboard.press("ArrowLeft")
        expect(page.locator("#suspicious tr")).to_contain_text("regular as a machine")
        page.locator("#suspicious").get_by_role("button", name="machine").click()
        rows = page.locator("#history tr")
        expect(rows).to_have_count(50)
        page.get_by_role("button", name="Older").click()
        expect(rows).to_have_count(60)
        expect(rows.last).to_contain_text("main 1")
        expect(page.get_by_role("button", name="Older")).to_be_hidden()


def test_axe_finds_nothing_and_markup_is_shown_as_text(chromium: Browser, server: Running) -> None:
    for number, name in enumerate(MARKUP):
        for _ in range(11):
            server.score(f"<b>{number}</b>", name=name)
            server.clock.advance(30)
    with administering(chromium, server, viewport={"width": 320, "height": 800}) as page:
        expect(page.locator("#list .head bdi")).to_have_text(MARKUP)
        choose(page, MARKUP[1])
        correct(page, "Void: version 22 of main", "Void", reason=MARKUP[0])
        expect(page.locator("#history tr").first).to_contain_text(MARKUP[0])
        correct(page, "Ban", reason=MARKUP[1])
        expect(page.locator("#history tr").first).to_contain_text(MARKUP[1])
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert_accessible(page)
        page.get_by_role("button", name="Erase …").click()
        expect(page.get_by_role("dialog", name="Erase <b>1</b>")).to_be_visible()
        assert_accessible(page)
        page.keyboard.press("Escape")
        # A banned player is no suspect.
        for tab, body, user_id in (
            ("Audit log", "#log", "<b>1</b>"),
            ("Suspects", "#suspicious", "<b>2</b>"),
        ):
            page.get_by_role("tab", name=tab).click()
            expect(page.locator(body)).to_contain_text(user_id)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert_accessible(page)
        expect(page.locator("main").locator("img, script, svg, b b")).to_have_count(0)
        assert page.evaluate("window.ran") is None
        page.get_by_role("button", name="Sign out").click()
        assert_accessible(page)
        expect(page.locator("#list, #log, #suspicious").locator("bdi")).to_have_count(0)
