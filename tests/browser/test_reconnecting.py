"""The page while its server, its network or its board is not there."""

import signal
from pathlib import Path

from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.board_page import (
    LOST,
    expect_live,
    expect_order,
    expect_state,
    open_live,
    set_attribute,
)
from tests.browser.browsers import visited, visiting
from tests.browser.sites import Site
from tests.browser.test_element import vendored_files
from tests.clocks import HeldClock
from tests.e2e.processes import serving
from tests.e2e.proxy import proxying
from tests.harness import Running, running
from tests.servers.process import free_port, until

RECORD = """
async () => {
  const { watch } = await import("/static/scoreboard.js");
  window.versions = [];
  watch(location.origin, { onBoard: (board) => versions.push(board.version) });
}
"""


def record_versions(page: Page) -> None:
    """Collect the versions of all boards from now on, beginning with the present one."""
    page.evaluate(RECORD)
    page.wait_for_function("() => versions.length > 0")


def assert_never_back(page: Page) -> None:
    page.wait_for_function("() => versions.length > 1")
    versions = page.evaluate("versions")
    assert versions == sorted(set(versions))


def test_pages_come_back_when_their_server_was_killed(chromium: Browser, tmp_path: Path) -> None:
    port = str(free_port())
    url = f"http://127.0.0.1:{port}"
    with visiting(chromium, url, expected=LOST) as context:
        pages: list[Page] = []
        for turn in range(2):
            with serving(tmp_path, SCOREBOARD_PORT=port) as (process, client):
                if not pages:
                    pages = open_live(context, url)
                    for page in pages:
                        record_versions(page)
                client.score("ada")
                for page in pages:
                    expect_live(page)
                    expect(page.locator("tbody .score")).to_have_text(f"{50 * (turn + 1)}")
                process.end(signal.SIGKILL)
            for page in pages:
                expect_state(page, "Reconnecting since ")
        for page in pages:
            assert_never_back(page)


def test_pages_come_back_from_the_503_of_a_proxy(browser: Browser, server: Running) -> None:
    server.score("ada")
    with proxying(server.url) as proxy, visiting(browser, proxy.url, expected=LOST) as context:
        pages = open_live(context, proxy.url)
        for page in pages:
            record_versions(page)
        proxy.go_down()
        for page in pages:
            expect_state(page, "Reconnecting since ")
        server.score("bob", "jackpot")
        for _ in range(2):
            context.wait_for_event("response", lambda response: response.status == 503)
        proxy.come_back()
        for page in pages:
            expect_live(page)
            expect_order(page, "bob", "ada")
            assert_never_back(page)


def test_a_tab_that_takes_over_says_so_when_it_gets_no_answer(chromium: Browser, server: Running) -> None:
    with visiting(chromium, server.url) as context:
        leading, other = open_live(context, server.url)
        unanswered: list[Route] = []
        other.route("**/api/leaderboard/stream**", lambda route: unanswered.append(route))  # noqa: PLW0108  # Playwright needs a function
        leading.close()
        expect_state(other, "Reconnecting since ")
        unanswered[0].continue_()
        expect_live(other)


def test_a_page_without_a_network_says_so_and_comes_back(browser: Browser, server: Running) -> None:
    with visited(browser, server.url, expected=LOST) as page:
        expect_live(page)
        page.context.set_offline(True)
        expect_state(page, "Offline since ")
        server.score("ada")
        page.context.set_offline(False)
        expect_live(page)
        expect_order(page, "ada")


def test_an_unknown_board_is_named_and_has_no_table_until_another_is_chosen(
    chromium: Browser, server: Running
) -> None:
    server.score("ada")
    with visited(chromium, server.url, expected=LOST) as page:
        expect(page.locator("table")).to_be_visible()
        set_attribute(page, "board", "none")
        expect(page.locator(".state")).to_have_text("There is no board “none”.")
        expect(page.locator("tbody tr")).to_have_count(0)
        expect(page.locator("table")).to_be_hidden()
        set_attribute(page, "board", "side")
        expect_live(page)


def test_a_private_board_is_called_private(chromium: Browser, tmp_path: Path) -> None:
    with (
        running(tmp_path, HeldClock(), require_auth_to_read=True) as server,
        visited(chromium, server.url, expected=LOST) as page,
    ):
        expect(page.locator(".state")).to_have_text("This board is private.")
        # Without rows, there are no column headings and no invitation either.
        expect(page.locator("table")).to_be_hidden()
        expect(page.locator(".empty")).to_be_hidden()


OWN_CLIENT = """
() => {
  const source = new EventSource("/api/leaderboard/stream");
  source.addEventListener("leaderboard", () => { document.title = "has a board"; });
}
"""


def test_a_browser_over_the_read_limit_reconnects_by_itself(browser: Browser, tmp_path: Path) -> None:
    # The page reads the definitions of the boards, too.
    with running(tmp_path, HeldClock(), read_rate_limit="3/second") as server:
        for _ in range(3):
            server.board()
        with visited(browser, server.url, expected=LOST) as page:
            # A browser's own EventSource stops permanently at any status but 200.
            page.evaluate(OWN_CLIENT)
            until(lambda: server.scoreboard.hub.counts.refused >= 2, "both are refused")
            expect_state(page, "Reconnecting since ")
            server.clock.advance(1)
            expect_live(page)
            expect(page).to_have_title("has a board")


def test_a_page_with_its_own_copy_of_the_module_waits_for_a_server_that_is_down(
    chromium: Browser, server: Running, elsewhere: Site
) -> None:
    server.score("ada")
    for name in vendored_files():
        elsewhere.write(server.client.get(f"/static/{name}").text, name)
    with proxying(server.url) as proxy:
        elsewhere.write(
            '<!doctype html><link rel="icon" href="data:,"><script type="module" '
            'src="score-board.js"></script>'
            f'<score-board src="{proxy.url}"></score-board>'
        )
        proxy.go_down()
        with visited(chromium, elsewhere.url, proxy.url, expected=(*LOST, "Access to fetch")) as page:
            expect(page.locator(".state")).to_have_attribute("data-state", "reconnecting")
            proxy.come_back()
            expect_live(page)
            expect_order(page, "ada")
