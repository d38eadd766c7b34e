"""Tabs share a stream in every browser, reject wrong messages, and leave connections for a submission."""

import json
import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

from tests.e2e.browser import PLAIN_HOST, launch_firefox, visiting
from tests.e2e.test_page import LOST, expect_live, expect_one_stream, expect_order
from tests.harness import Running
from tests.servers.process import until

MOST_STREAMS = 3

DENIED = "throw new DOMException('denied', 'SecurityError');"

MISSING = {
    "locks": "delete Navigator.prototype.locks;",
    "locks-denied": f"if (window.LockManager) LockManager.prototype.request = async () => {{ {DENIED} }};",
    "channel": "delete window.BroadcastChannel;",
    "channel-denied": f"window.BroadcastChannel = class {{ constructor() {{ {DENIED} }} }};",
}
"""Features for agreement between tabs that a browser may lack."""

LESS = f"""
for (const name of ["localStorage", "sessionStorage", "indexedDB"]) {{
  Object.defineProperty(window, name, {{ get() {{ {DENIED} }} }});
}}
delete AbortSignal.any;
delete AbortSignal.timeout;
delete AbortSignal.prototype.throwIfAborted;
delete Crypto.prototype.randomUUID;
delete window.structuredClone;
delete window.reportError;
delete window.EventSource;
window.CSSStyleSheet = class {{ constructor() {{ throw new TypeError("Illegal constructor"); }} }};
delete Element.prototype.ariaHidden;
delete Element.prototype.ariaDisabled;
"""
"""Other features that an older or stricter browser lacks."""

SUBMIT = """
async ({ token, url }) => {
  const { submit } = await import("/static/scoreboard.js");
  return await submit("quest", { token, url });
}
"""


def submit(page: Page, token: str) -> dict[str, Any]:
    receipt: dict[str, Any] = page.evaluate(SUBMIT, {"token": token, "url": page.url})
    return receipt


def assert_all_are_live_and_submit(server: Running, pages: list[Page], most_streams: int) -> None:
    server.score("ada")
    for page in pages:
        expect_order(page, "ada")
        expect_live(page)
    until(
        lambda: server.scoreboard.hub.streams <= most_streams, "no more streams than a browser has room for"
    )
    assert submit(pages[-1], server.token("bob"))["score"] == 50
    server.score("bob")
    for page in pages:
        expect_order(page, "bob", "ada")


@pytest.mark.parametrize("missing", MISSING)
def test_eight_tabs_are_live_and_submit_whatever_is_missing(
    browser: Browser, server: Running, missing: str
) -> None:
    with visiting(browser, server.url) as (context, _):
        context.add_init_script(MISSING[missing])
        pages = [context.new_page() for _ in range(8)]
        for page in pages:
            page.goto(server.url)
        assert_all_are_live_and_submit(server, pages, most_streams=0 if missing.startswith("channel") else 1)
        pages.pop(0).close()
        server.score("cyd", "jackpot")
        for page in pages:
            expect_order(page, "cyd", "bob", "ada")


def test_eight_tabs_at_a_plain_name_share_one_stream_and_hand_it_over(
    browser: Browser, server: Running
) -> None:
    url = f"http://{PLAIN_HOST}:{urlsplit(server.url).port}"
    with visiting(browser, url) as (context, witness):
        witness.expected = ("The Cross-Origin-Opener-Policy header has been ignored",)
        pages = [context.new_page() for _ in range(8)]
        for page in pages:
            page.goto(url)
        assert not pages[0].evaluate("isSecureContext || 'locks' in navigator")
        assert_all_are_live_and_submit(server, pages, most_streams=1)
        for turn in range(2):
            pages.pop(0).close()
            server.score("bob", "quest")
            for page in pages:
                expect(page.locator("tbody .score").first).to_have_text(str(150 + 50 * turn))
        expect_one_stream(server)


def test_eight_tabs_of_a_firefox_that_blocks_cookies_are_live(
    playwright: Playwright, server: Running
) -> None:
    with (
        launch_firefox(playwright, {"network.cookie.cookieBehavior": 2}) as browser,
        visiting(browser, server.url) as (context, _),
    ):
        pages = [context.new_page() for _ in range(8)]
        for page in pages:
            page.goto(server.url)
        assert_all_are_live_and_submit(server, pages, most_streams=MOST_STREAMS)


def test_an_old_or_strict_browser_shows_the_board_and_submits(browser: Browser, server: Running) -> None:
    with visiting(browser, server.url) as (context, witness):
        # The style sheet that replaces a constructed one needs the page's leave.
        witness.expected = (
            "policy violated: style-src-elem inline",
            "Applying inline style",
            "The page’s settings",
        )
        context.add_init_script(LESS)
        page = context.new_page()
        page.goto(server.url)
        assert_all_are_live_and_submit(server, [page], most_streams=1)


def test_a_page_of_many_boards_leaves_room_for_a_submission(browser: Browser, server: Running) -> None:
    server.score("ada")
    with visiting(browser, server.url) as (context, _):
        page = context.new_page()
        page.goto(server.url)
        page.evaluate(
            """async (tokens) => {
              const { watch } = await import("/static/scoreboard.js");
              window.versions = tokens.map(() => 0);
              tokens.forEach((token, index) => {
                watch(location.href, { token, onBoard: ({ version }) => (versions[index] = version) });
              });
            }""",
            [server.token(f"user-{number}") for number in range(8)],
        )
        page.wait_for_function("() => versions.every((version) => version === 1)")
        assert server.scoreboard.hub.streams <= MOST_STREAMS
        assert submit(page, server.token("bob"))["version"] == 2
        page.wait_for_function("() => versions.every((version) => version === 2)")


BOARD: dict[str, Any] = {
    "board": "main",
    "version": 9_000_000_000_000_000,
    "updatedAt": None,
    "players": 1,
    "entries": [{"rank": 1, "userId": "eve", "name": "Eve", "score": 1, "reachedAt": "2026-11-24T10:00:00Z"}],
}

LIES: list[Any] = [
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
    {"from": 1, "state": "live"},
]
"""Messages that no tab of ours sends."""

POST = """
(messages) => {
  const channel = new BroadcastChannel(`scoreboard ${location.origin}/api/leaderboard/stream?board=main&delta=1`);
  for (const message of messages) channel.postMessage(message);
}
"""


def test_a_message_that_is_no_board_changes_nothing(browser: Browser, server: Running) -> None:
    server.score("ada")
    with visiting(browser, server.url) as (context, _):
        pages = [context.new_page() for _ in range(2)]
        for page in pages:
            page.goto(server.url)
            expect_live(page)
            expect_order(page, "ada")
            page.evaluate(
                """() => {
                  window.seen = [];
                  const root = document.querySelector("score-board").shadowRoot;
                  const look = new MutationObserver(() => seen.push(root.textContent));
                  look.observe(root, { childList: true, subtree: true });
                }"""
            )
        pages[1].evaluate(POST, LIES)
        server.score("bob", "jackpot")
        for page in pages:
            expect_order(page, "bob", "ada")
            assert "Eve" not in json.dumps(page.evaluate("seen"))
            expect(page.locator(".state")).to_have_text(re.compile("^Live since "))


@pytest.mark.parametrize("version", [1, 2, 1_000, BOARD["version"]])
def test_a_board_that_another_page_made_up_is_corrected(
    browser: Browser, server: Running, version: int
) -> None:
    server.score("ada")
    lie = {"from": 0.5, "board": BOARD | {"version": version}}
    with visiting(browser, server.url) as (context, _):
        leading, other = context.new_page(), context.new_page()
        for page in (leading, other):
            page.goto(server.url)
            expect_live(page)
            expect_order(page, "ada")
        # A page that watches another board.
        liar = context.new_page()
        liar.goto(f"{server.url}/?board=side")
        liar.evaluate(POST, [lie])
        for page in (leading, other):
            expect_order(page, "ada")
        # As the last message before the tab with the stream closes: no tab is left to correct it.
        liar.evaluate(POST, [lie])
        leading.close()
        server.score("bob", "prize")
        expect(other.locator("tbody .name bdi")).to_have_text(["bob", "ada"])


@pytest.mark.parametrize(
    "call",
    [
        "submit('quest', { token: 'a.b.c', userId: 'ada', url: 'http://' })",
        "submit('quest', { token: 'a.b.c', userId: 'ada', url: 'ftp://127.0.0.1/' })",
        "submit('quest', { token: 'a.b.c', userId: 'ada', url: 'http://a:b@127.0.0.1/' })",
        "submit('quest', { token: 'a\\nb', userId: 'ada' })",
        "submit('quest', { token: 'ü→', userId: 'ada' })",
        "watch('http://', { onBoard() {} })",
        "watch('ftp://127.0.0.1/', { onBoard() {} })",
        "watch(location.href, { onBoard() {}, token: 'a\\nb' })",
        "watch(location.href, {})",
    ],
)
def test_a_mistake_in_a_call_is_told_as_one(chromium: Browser, server: Running, call: str) -> None:
    with visiting(chromium, server.url) as (context, _):
        page = context.new_page()
        page.goto(server.url)
        name = page.evaluate(
            f"""async () => {{
              const {{ submit, watch }} = await import("/static/scoreboard.js");
              try {{ await {call}; }} catch (error) {{ return error.name; }}
            }}"""
        )
        assert name == "TypeError"


def test_a_submission_ends_with_its_signal(chromium: Browser, server: Running) -> None:
    with visiting(chromium, server.url) as (context, witness):
        witness.expected = LOST
        page = context.new_page()
        page.goto(server.url)
        page.route("**/api/scores", lambda route: route.fulfill(status=503))
        name = page.evaluate(
            """async (token) => {
              const { submit } = await import("/static/scoreboard.js");
              const controller = new AbortController();
              setTimeout(() => controller.abort(), 50);
              try { await submit("quest", { token, signal: controller.signal }); } catch (error) { return error.name; }
            }""",
            server.token("ada"),
        )
        assert name == "AbortError"
