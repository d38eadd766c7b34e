"""Tabs of one browser share a stream, reject wrong messages, and leave connections for a submission."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.browser.board_page import expect_live, expect_one_stream, expect_order, open_live
from tests.browser.browsers import PLAIN_HOST, visited, visiting
from tests.browser.sites import Site
from tests.harness import Running
from tests.servers.process import until

TABS = 7
"""One more than the connections that a browser opens to a host over HTTP/1.1."""

FEW_TABS = 3
"""Enough to share a stream, and to hand it over twice."""

MOST_STREAMS = 3

DENIED = "throw new DOMException('denied', 'SecurityError');"

MISSING = {
    "locks": "delete Navigator.prototype.locks;",
    "locks-denied": f"if (window.LockManager) LockManager.prototype.request = async () => {{ {DENIED} }};",
    "channel": "delete window.BroadcastChannel;",
    "channel-denied": f"window.BroadcastChannel = class {{ constructor() {{ {DENIED} }} }};",
}
"""Scripts that remove a feature by which tabs agree."""

OLD_BROWSER = f"""
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
"""Removes other features that an older or stricter browser lacks."""

SUBMIT = """
async ({ token, url }) => {
  const { submit } = await import("/static/scoreboard.js");
  return await submit("quest", { token, url });
}
"""


def open_tabs(context: BrowserContext, url: str, count: int = TABS) -> list[Page]:
    pages = [context.new_page() for _ in range(count)]
    for page in pages:
        page.goto(url, wait_until="commit")
    return pages


def submit(page: Page, token: str) -> dict[str, Any]:
    receipt: dict[str, Any] = page.evaluate(SUBMIT, {"token": token, "url": page.url})
    return receipt


def assert_all_are_live_and_submit(server: Running, pages: list[Page], most_streams: int) -> None:
    server.score("ada")
    for page in pages:
        expect_order(page, "ada")
        expect_live(page)
    until(lambda: server.scoreboard.hub.streams <= most_streams, "no more streams than agreed")
    assert submit(pages[-1], server.token("bob"))["score"] == 50
    server.score("bob")
    for page in pages:
        expect_order(page, "bob", "ada")


def assert_handed_over(server: Running, pages: list[Page]) -> None:
    """Close the tab with the stream: the others go on."""
    pages.pop(0).close()
    server.score("cyd", "jackpot")
    for page in pages:
        expect_order(page, "cyd", "bob", "ada")
        expect_live(page)


def test_tabs_share_one_stream_and_hand_it_over(browser: Browser, server: Running) -> None:
    with visiting(browser, server.url) as context:
        pages = open_tabs(context, server.url)
        assert_all_are_live_and_submit(server, pages, most_streams=1)
        assert_handed_over(server, pages)
        expect_one_stream(server)


@pytest.mark.parametrize("missing", MISSING)
def test_tabs_are_live_and_submit_whatever_is_missing(
    chromium: Browser, server: Running, missing: str
) -> None:
    with visiting(chromium, server.url) as context:
        context.add_init_script(MISSING[missing])
        # Without a channel, each tab asks for itself.
        pages = open_tabs(context, server.url, TABS if missing.startswith("channel") else FEW_TABS)
        assert_all_are_live_and_submit(server, pages, most_streams=0 if missing.startswith("channel") else 1)
        assert_handed_over(server, pages)


def test_tabs_over_plain_http_share_one_stream_and_hand_it_over(browser: Browser, server: Running) -> None:
    url = f"http://{PLAIN_HOST}:{urlsplit(server.url).port}"
    with visiting(
        browser, url, expected=("The Cross-Origin-Opener-Policy header has been ignored",)
    ) as context:
        pages = open_tabs(context, url, FEW_TABS)
        assert_all_are_live_and_submit(server, pages, most_streams=1)
        assert not pages[0].evaluate("isSecureContext || 'locks' in navigator")
        for turn in range(2):
            pages.pop(0).close()
            server.score("bob", "quest")
            for page in pages:
                expect(page.locator("tbody .score").first).to_have_text(str(150 + 50 * turn))
        expect_one_stream(server)


def test_tabs_of_a_firefox_that_blocks_cookies_are_live(strict_firefox: Browser, server: Running) -> None:
    with visiting(strict_firefox, server.url) as context:
        pages = open_tabs(context, server.url)
        assert_all_are_live_and_submit(server, pages, most_streams=MOST_STREAMS)


def test_a_frozen_tab_does_not_keep_the_stream(chromium: Browser, server: Running) -> None:
    with visiting(chromium, server.url) as context:
        leading, other = open_live(context, server.url)
        context.new_cdp_session(leading).send("Page.setWebLifecycleState", {"state": "frozen"})
        server.score("ada")
        expect_order(other, "ada")
        expect_live(other)


def test_a_stuck_tab_loses_the_lead(chromium: Browser, server: Running) -> None:
    with visiting(chromium, server.url) as context:
        leading, other = open_live(context, server.url)
        unanswered: list[Route] = []
        leading.route("**/stuck", lambda route: unanswered.append(route))  # noqa: PLW0108  # Playwright needs a function
        # A synchronous request blocks the tab until it is answered.
        with leading.expect_event("request"):
            leading.evaluate(
                """setTimeout(() => {
                  const request = new XMLHttpRequest();
                  request.open("GET", "stuck", false);
                  request.send();
                })"""
            )
        server.score("ada")
        expect_order(other, "ada")
        unanswered[0].fulfill()
        server.score("bob", "jackpot")
        expect_order(leading, "bob", "ada")
        expect_live(leading)
        expect_one_stream(server)


def test_without_locks_a_board_has_its_own_connection(
    browser: Browser, server: Running, elsewhere: Site
) -> None:
    board = f"<script type=module src={server.url}/static/score-board.js></script><score-board></score-board>"
    elsewhere.write(
        "<!doctype html><link rel=icon href='data:,'><iframe sandbox='allow-scripts' "
        f"srcdoc='{board}'></iframe>"
    )
    server.score("ada")
    with visited(browser, elsewhere.url, server.url) as page:
        frame = page.frame_locator("iframe")
        expect_order(frame, "ada")
        server.score("bob", "jackpot")
        expect_order(frame, "bob", "ada")


def test_an_old_or_strict_browser_shows_the_board_and_submits(chromium: Browser, server: Running) -> None:
    # Instead of a constructed style sheet, the element uses an inline one, which the page's policy blocks.
    blocked = ("policy violated: style-src-elem inline", "Applying inline style")
    with visiting(chromium, server.url, expected=blocked) as context:
        context.add_init_script(OLD_BROWSER)
        page = context.new_page()
        page.goto(server.url)
        assert_all_are_live_and_submit(server, [page], most_streams=1)


def test_a_page_of_many_boards_leaves_room_for_a_submission(browser: Browser, server: Running) -> None:
    server.score("ada")
    with visited(browser, server.url) as page:
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
