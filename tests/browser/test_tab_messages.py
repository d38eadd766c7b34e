"""Tabs ignore messages that no tab of this module sends, and correct wrong boards."""

import json
from typing import Any

from playwright.sync_api import Browser

from tests.browser.board_page import expect_live, expect_order, open_live
from tests.browser.browsers import visiting
from tests.harness import Running

BOARD: dict[str, Any] = {
    "board": "main",
    "version": 9_000_000_000_000_000,
    "updatedAt": None,
    "players": 1,
    "entries": [{"rank": 1, "userId": "eve", "name": "Eve", "score": 1, "reachedAt": "2026-11-24T10:00:00Z"}],
}

WRONG_MESSAGES: list[Any] = [
    None,
    7,
    "board",
    {},
    {"from": "x", "board": BOARD},
    {"board": BOARD},
    {"from": 1, "board": {"version": 1}},
    {"from": 1, "board": BOARD | {"version": "9e15"}},
    {"from": 1, "board": BOARD | {"version": -1}},
    {"from": 1, "board": BOARD | {"version": 1e300}},
    {"from": 1, "board": BOARD | {"entries": {}}},
    {"from": 1, "board": BOARD | {"entries": [None]}},
    {"from": 1, "board": BOARD | {"entries": [BOARD["entries"][0] | {"score": "1"}]}},
    {"from": 1, "board": BOARD | {"entries": BOARD["entries"] * 10_000}},
    {"from": 1, "state": ["refused", 0, {"reason": "Go away."}]},
    {"from": 1, "state": ["toString", 0]},
    {"from": 1, "state": ["live", "yesterday"]},
    {"from": 1, "state": ["stale", 9_000_000_000_000_000]},
    {"from": 1, "state": "live"},
]
"""Messages that this module never sends."""

POST = """
(messages) => {
  const channel = new BroadcastChannel(
    `scoreboard ${location.origin}/api/leaderboard/stream?board=main&delta=1`);
  for (const message of messages) channel.postMessage(message);
}
"""


def test_a_wrong_message_changes_nothing(chromium: Browser, server: Running) -> None:
    server.score("ada")
    with visiting(chromium, server.url) as context:
        pages = open_live(context, server.url)
        errors: list[str] = []
        for page in pages:
            page.on("pageerror", lambda error: errors.append(str(error)))
            expect_order(page, "ada")
            page.evaluate(
                """() => {
                  window.seen = [];
                  const root = document.querySelector("score-board").shadowRoot;
                  const look = new MutationObserver(() => seen.push(root.textContent));
                  look.observe(root, { childList: true, subtree: true });
                }"""
            )
        pages[1].evaluate(POST, WRONG_MESSAGES)
        server.score("bob", "jackpot")
        for page in pages:
            expect_order(page, "bob", "ada")
            assert "Eve" not in json.dumps(page.evaluate("seen"))
            expect_live(page)
        assert errors == []


def test_a_board_that_another_page_made_up_is_corrected(chromium: Browser, server: Running) -> None:
    server.score("ada")
    with visiting(chromium, server.url) as context:
        # This page watches another board.
        liar = context.new_page()
        liar.goto(f"{server.url}/?board=side")
        (leading,) = open_live(context, server.url, 1)
        order = ["ada"]
        for versions_ahead in (0, 1, 999, BOARD["version"]):
            (other,) = open_live(context, server.url, 1)
            for page in (leading, other):
                expect_live(page)
                expect_order(page, *order)
            version = min(server.board()["version"] + versions_ahead, BOARD["version"])
            lie = {"from": 0.5, "board": BOARD | {"version": version}}
            liar.evaluate(POST, [lie])
            for page in (leading, other):
                expect_order(page, *order)
            # A lie as the last message before the tab with the stream closes: no tab is left to correct it.
            liar.evaluate(POST, [lie])
            leading.close()
            order.append(f"user-{versions_ahead}")
            server.score(order[-1], "duel")
            expect_order(other, *order)
            leading = other
