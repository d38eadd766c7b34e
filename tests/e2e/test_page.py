"""The page and its modules in Chromium and in Firefox."""

import re
import signal
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Playwright, expect

from tests.clocks import HeldClock
from tests.e2e.browser import preferring, visiting
from tests.e2e.processes import score, scoreboard, serving
from tests.e2e.proxy import proxying
from tests.e2e.sites import Site
from tests.harness import Running, running
from tests.servers.process import free_port, until

RECORD = """
async () => {
  const { watch } = await import("/static/scoreboard.js");
  window.versions = [];
  watch(location.origin, { onBoard: (board) => versions.push(board.version) });
}
"""

ANIMATIONS = "document.querySelector('score-board').shadowRoot.getAnimations()"

LOST = ("Failed to load resource",)


def expect_order(page: Page, *names: str) -> None:
    expect(page.locator("tbody .name bdi")).to_have_text(list(names))


def expect_live(page: Page) -> None:
    expect(page.locator(".state")).to_have_text(re.compile("^Live since "))


def expect_one_stream(server: Running) -> None:
    """A tab that no longer leads ends its stream; the server hears of it a moment later."""
    until(lambda: server.scoreboard.hub.streams == 1, "all tabs share one stream")


def assert_never_back(page: Page) -> None:
    page.evaluate(
        "new Promise((done) => { const look = () => versions.length > 1 ? done() : setTimeout(look, 20); look(); })"
    )
    versions = page.evaluate("versions")
    assert versions == sorted(set(versions))


def test_two_pages_show_a_new_order_without_a_reload(browser: Browser, server: Running) -> None:
    server.score("ada", "duel", name="Ada")
    with visiting(browser, server.url) as (context, _):
        pages = [context.new_page(), context.new_page()]
        for page in pages:
            page.goto(server.url)
            page.evaluate("window.loadedOnce = true")
            expect_live(page)
            expect_order(page, "Ada")
        server.score("bob", "quest", name="Bob")
        for page in pages:
            expect_order(page, "Bob", "Ada")
            assert page.evaluate("window.loadedOnce")


def test_an_empty_board_invites(browser: Browser, server: Running) -> None:
    with visiting(browser, server.url) as (context, _):
        page = context.new_page()
        page.goto(server.url)
        expect(page.get_by_text("Nobody has scored yet")).to_be_visible()
        server.score("ada")
        expect_order(page, "ada")
        expect(page.get_by_text("Nobody has scored yet")).to_be_hidden()


def test_any_board_has_its_page(browser: Browser, server: Running) -> None:
    server.score("ada", "visit")
    with visiting(browser, server.url) as (context, _):
        page = context.new_page()
        page.goto(f"{server.url}/?board=side")
        expect(page.get_by_role("heading", name="Side")).to_be_visible()
        expect_order(page, "ada")
    assert server.client.get("/?board=none").status_code == 404


def test_pages_come_back_when_their_server_was_killed(browser: Browser, tmp_path: Path) -> None:
    port = str(free_port())
    unlimited = {"SCOREBOARD_RATE_LIMIT": "1000000/minute", "SCOREBOARD_PORT": port}
    url = f"http://127.0.0.1:{port}"
    with visiting(browser, url) as (context, witness):
        witness.expected = LOST
        pages: list[Page] = []
        for turn in range(3):
            with serving(tmp_path, **unlimited) as (process, client):
                token = scoreboard(tmp_path, "token", "ada").stdout.strip()
                if not pages:
                    pages = [context.new_page(), context.new_page()]
                    for page in pages:
                        page.goto(url)
                        expect_live(page)
                        page.evaluate(RECORD)
                for page in pages:
                    expect_live(page)
                score(client, token, "ada")
                for page in pages:
                    expect(page.locator("tbody .score")).to_have_text(f"{50 * (turn + 1)}")
                process.end(signal.SIGKILL)
            for page in pages:
                expect(page.locator(".state")).to_have_text(re.compile("^Reconnecting since "))
        for page in pages:
            assert_never_back(page)


def test_pages_come_back_from_the_503_of_a_proxy(browser: Browser, server: Running) -> None:
    server.score("ada")
    with proxying(server.url) as proxy, visiting(browser, proxy.url) as (context, witness):
        witness.expected = LOST
        pages = [context.new_page(), context.new_page()]
        for page in pages:
            page.goto(proxy.url)
            expect_live(page)
            page.evaluate(RECORD)
        proxy.go_down()
        for page in pages:
            expect(page.locator(".state")).to_have_text(re.compile("^Reconnecting since "))
        server.score("bob", "jackpot")
        for _ in range(4):
            context.wait_for_event("response", lambda response: response.status == 503)
        proxy.come_back()
        for page in pages:
            expect_live(page)
            expect_order(page, "bob", "ada")
            assert_never_back(page)


def test_twelve_tabs_share_one_stream_and_hand_it_over(browser: Browser, server: Running) -> None:
    with visiting(browser, server.url) as (context, _):
        pages = [context.new_page() for _ in range(12)]
        for page in pages:
            page.goto(server.url)
        server.score("ada")
        for page in pages:
            expect_live(page)
            expect_order(page, "ada")
        expect_one_stream(server)
        pages.pop(0).close()
        server.score("bob", "jackpot")
        for page in pages:
            expect_order(page, "bob", "ada")
            expect_live(page)
        expect_one_stream(server)


def test_a_frozen_tab_does_not_keep_the_stream(chromium: Browser, server: Running) -> None:
    with visiting(chromium, server.url) as (context, _):
        leading = context.new_page()
        leading.goto(server.url)
        expect_live(leading)
        other = context.new_page()
        other.goto(server.url)
        expect_live(other)
        context.new_cdp_session(leading).send("Page.setWebLifecycleState", {"state": "frozen"})
        server.score("ada")
        expect(other.locator("tbody .name bdi")).to_have_text(["ada"])
        expect_live(other)


def test_a_tab_that_is_stuck_loses_the_lead(browser: Browser, server: Running) -> None:
    with visiting(browser, server.url) as (context, _):
        leading, other = context.new_page(), context.new_page()
        for page in (leading, other):
            page.goto(server.url)
            expect_live(page)
        leading.evaluate(
            "setTimeout(() => { const until = Date.now() + 20_000; while (Date.now() < until); }, 50)"
        )
        server.score("ada")
        expect(other.locator("tbody .name bdi")).to_have_text(["ada"], timeout=19_000)
        server.score("bob", "jackpot")
        expect(leading.locator("tbody .name bdi")).to_have_text(["bob", "ada"])
        expect_live(leading)
        expect_one_stream(server)


def test_a_tab_that_takes_over_says_so_when_it_gets_no_answer(browser: Browser, tmp_path: Path) -> None:
    with (
        serving(tmp_path) as (process, client),
        visiting(browser, str(client.base_url)) as (context, witness),
    ):
        witness.expected = LOST
        leading, other = context.new_page(), context.new_page()
        for page in (leading, other):
            page.goto(str(client.base_url))
            expect_live(page)
        process.process.send_signal(signal.SIGSTOP)
        leading.close()
        expect(other.locator(".state")).to_have_text(re.compile("^Reconnecting since "))
        process.process.send_signal(signal.SIGCONT)
        expect_live(other)


def test_an_unknown_board_is_refused_once_and_for_all(browser: Browser, server: Running) -> None:
    with visiting(browser, server.url) as (context, witness):
        witness.expected = LOST
        page = context.new_page()
        page.goto(server.url)
        expect_live(page)
        page.evaluate("document.querySelector('score-board').setAttribute('board', 'none')")
        expect(page.locator(".state")).to_have_text("There is no board “none”.")
        expect(page.locator("tbody tr")).to_have_count(0)
        page.evaluate("document.querySelector('score-board').setAttribute('board', 'side')")
        expect_live(page)


def test_a_page_without_a_network_says_so_and_comes_back(browser: Browser, server: Running) -> None:
    with visiting(browser, server.url) as (context, witness):
        witness.expected = LOST
        page = context.new_page()
        page.goto(server.url)
        expect_live(page)
        context.set_offline(True)
        expect(page.locator(".state")).to_have_text(re.compile("^Offline since "))
        server.score("ada")
        context.set_offline(False)
        expect_live(page)
        expect_order(page, "ada")


def test_a_mistake_of_the_page_does_not_end_its_stream(browser: Browser, server: Running) -> None:
    with visiting(browser, server.url) as (context, witness):
        witness.expected = ("mistake",)
        page = context.new_page()
        page.goto(server.url)
        expect_live(page)
        page.evaluate(
            """async () => {
              const { watch } = await import("/static/scoreboard.js");
              window.seen = [];
              watch(location.origin, { onBoard(board) { seen.push(board.version); throw new Error("mistake"); } });
            }"""
        )
        for number in range(3):
            server.score(f"user-{number}")
            expect(page.locator("tbody tr")).to_have_count(number + 1)
        assert page.evaluate("seen.at(-1)") == 3


def test_where_locks_are_denied_a_board_has_a_stream_of_its_own(
    browser: Browser, server: Running, elsewhere: Site
) -> None:
    board = f"<script type=module src={server.url}/static/score-board.js></script><score-board></score-board>"
    elsewhere.write(
        f"<!doctype html><link rel=icon href='data:,'><iframe sandbox='allow-scripts' srcdoc='{board}'></iframe>"
    )
    server.score("ada")
    with visiting(browser, server.url, elsewhere.url) as (context, _):
        page = context.new_page()
        page.goto(elsewhere.url)
        frame = page.frame_locator("iframe")
        expect(frame.locator("tbody .name bdi")).to_have_text(["ada"])
        server.score("bob", "jackpot")
        expect(frame.locator("tbody .name bdi")).to_have_text(["bob", "ada"])


def test_the_element_works_on_a_page_of_another_origin(
    browser: Browser, server: Running, elsewhere: Site
) -> None:
    elsewhere.write(
        '<!doctype html><link rel="icon" href="data:,"><p>My game</p>'
        '<score-board board="main" label="Best"></score-board>'
        f'<script type="module" src="{server.url}/static/score-board.js"></script>'
    )
    server.score("ada")
    with visiting(browser, server.url, elsewhere.url) as (context, _):
        page = context.new_page()
        page.goto(elsewhere.url)
        expect_order(page, "ada")
        expect(page.locator("caption")).to_have_text("Best · all players so far")
        server.score("bob", "jackpot")
        expect_order(page, "bob", "ada")


def test_a_visitor_of_the_demo_takes_a_name_plays_and_rests(browser: Browser, tmp_path: Path) -> None:
    with (
        serving(tmp_path, "demo", "--no-players") as (_, client),
        visiting(browser, str(client.base_url)) as (context, witness),
    ):
        page = context.new_page()
        page.goto(str(client.base_url))
        page.get_by_role("button", name="Take a name").click()
        expect(page.locator("#guest")).to_have_text(re.compile(r"^\w+ \w+$"))
        name = page.locator("#guest").inner_text()
        page.get_by_role("button", name="Quest +50").click()
        expect(page.locator("#outcome")).to_have_text("+50 points: you have 50 and rank 1.")
        own = page.locator("tbody tr.own")
        expect(own.locator("bdi")).to_have_text(name)
        expect(own.locator(".you")).to_have_text("you")
        page.reload()
        expect(page.locator("#guest")).to_have_text(name)
        witness.expected = LOST
        for number in range(2, 11):
            page.get_by_role("button", name="Quest +50").click()
            expect(page.locator("#outcome")).to_contain_text(f"you have {50 * number} and")
        page.get_by_role("button", name="Quest +50").click()
        expect(page.locator("#countdown")).to_have_text(
            re.compile(r"^The next one counts in (4\d|5\d|60) s\.$")
        )
        expect(page.locator("#outcome")).to_have_text("Well played! Catch your breath.")
        resting = page.get_by_role("button", name="Quest +50")
        expect(resting).to_be_disabled()
        expect(resting).to_be_focused()
        assert client.get("/api/leaderboard").json()["entries"][0]["score"] == 500


def test_without_the_demo_there_is_no_token_for_the_asking(browser: Browser, server: Running) -> None:
    assert server.client.post("/demo/guests").status_code == 404
    with visiting(browser, server.url) as (context, _):
        page = context.new_page()
        page.goto(server.url)
        expect_live(page)
        expect(page.locator("#panel")).to_have_count(0)


def test_a_guest_scores_for_nobody_else(tmp_path: Path) -> None:
    with serving(tmp_path, "demo", "--no-players") as (_, client):
        guest = client.post("/demo/guests", json={"name": "Somebody", "userId": "ada"}).json()
        assert guest["userId"].startswith("guest-")
        assert score(client, guest["token"], "ada").status_code == 403
        assert score(client, guest["token"], guest["userId"]).status_code == 201


def test_the_demo_does_not_run_in_production(tmp_path: Path) -> None:
    done = scoreboard(tmp_path, "demo", SCOREBOARD_ENV="production")
    assert done.returncode == 2
    assert "SCOREBOARD_ENV is production" in done.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1"])
def test_the_demo_stays_on_this_machine_unless_told_twice(tmp_path: Path, host: str) -> None:
    done = scoreboard(tmp_path, "demo", "--host", host)
    assert done.returncode == 2
    assert "--let-anybody-play" in done.stderr
    with serving(tmp_path, "demo", "--no-players", "--host", "0.0.0.0", "--let-anybody-play") as (_, client):
        assert client.get("/").status_code == 200


def test_all_can_be_done_by_keyboard(browser: Browser, tmp_path: Path) -> None:
    with (
        serving(tmp_path, "demo", "--no-players") as (_, client),
        visiting(browser, str(client.base_url)) as (context, _),
    ):
        page = context.new_page()
        page.goto(str(client.base_url))
        expect_live(page)
        page.keyboard.press("Tab")
        expect(page.get_by_role("button", name="Take a name")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Quest +50")).to_be_focused()
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
        expect(page.locator("#outcome")).to_have_text("+30 points: you have 30 and rank 1.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser: Browser, tmp_path: Path, scheme: str) -> None:
    with (
        serving(tmp_path, "demo", "--no-players") as (_, client),
        visiting(browser, str(client.base_url), color_scheme=scheme) as (context, _),
    ):
        page = context.new_page()
        page.goto(str(client.base_url))
        expect_live(page)
        assert_accessible(page)
        page.get_by_role("button", name="Take a name").click()
        page.get_by_role("button", name="Quest +50").click()
        expect(page.locator("tbody .score")).to_have_text(["50"])
        other = client.post("/demo/guests").json()
        for _ in range(2):
            score(client, other["token"], other["userId"])
        expect(page.locator("tbody .move.down")).to_be_visible()
        # What moves is half transparent on its way.
        page.evaluate(f"Promise.all({ANIMATIONS}.map((animation) => animation.finished.catch(() => {{}})))")
        assert_accessible(page)


def assert_accessible(page: Page) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, found.response["violations"]


@pytest.mark.parametrize("width", [320, 900, 1_920])
def test_long_and_right_to_left_names_break_nothing(browser: Browser, server: Running, width: int) -> None:
    for user, name in {
        "long": "W" * 128,
        "arabic": "لاعب" * 32,
        "hebrew": "שחקן",
        "emoji": "🎮" * 128,
    }.items():
        server.score(user, name=name)
    with visiting(browser, server.url, viewport={"width": width, "height": 1_080}) as (context, _):
        page = context.new_page()
        page.goto(server.url)
        expect(page.locator("tbody tr")).to_have_count(4)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        heights = page.locator("tbody tr").evaluate_all("rows => rows.map((row) => row.offsetHeight)")
        assert max(heights) <= 1.3 * min(heights)


MARKUP = [
    "<script>window.ran = true</script>",
    '<img src="x" onerror="window.ran = true">',
    "</bdi></td></tr></table><svg onload='window.ran = true'>",
    "&lt;b&gt;&amp;",
]


def test_markup_in_a_name_is_shown_as_text_and_runs_nothing(
    browser: Browser, server: Running, elsewhere: Site
) -> None:
    # On somebody else's page no policy of ours would stop it.
    elsewhere.write(
        '<!doctype html><link rel="icon" href="data:,"><score-board></score-board>'
        f'<script type="module" src="{server.url}/static/score-board.js"></script>'
    )
    server.score("ada", name=MARKUP[0])
    for user, name in zip(("bob", "cyd"), MARKUP[1:3], strict=True):
        server.score(user, name=name)
    # Without a name the id is shown.
    server.score(MARKUP[3])
    with visiting(browser, server.url, elsewhere.url) as (context, _):
        for url in (server.url, elsewhere.url):
            page = context.new_page()
            page.goto(url)
            expect_order(page, *MARKUP)
            expect(page.locator("score-board").locator("img, script, svg, b")).to_have_count(0)
            assert page.evaluate("window.ran") is None


def test_a_television_shows_all_ten(browser: Browser, server: Running) -> None:
    for number in range(12):
        server.score(f"user-{number}")
    with visiting(browser, server.url, viewport={"width": 1_920, "height": 1_080}) as (context, _):
        page = context.new_page()
        page.goto(server.url)
        expect(page.locator("tbody tr").nth(9)).to_be_in_viewport(ratio=1)
        assert (
            page.locator("tbody tr").nth(0).evaluate("row => parseFloat(getComputedStyle(row).fontSize)")
            >= 24
        )


@pytest.mark.parametrize("width", [250, 320])
def test_a_score_is_never_cut_off(browser: Browser, server: Running, width: int) -> None:
    server.score("ada", "prize", name="W" * 128)
    server.score("bob", "duel", name="Bob")
    with visiting(browser, server.url, viewport={"width": width, "height": 700}) as (context, _):
        page = context.new_page()
        page.goto(server.url)
        expect(page.locator("tbody tr")).to_have_count(2)
        for cell in page.locator("tbody .score").all():
            assert cell.evaluate("cell => cell.scrollWidth <= cell.clientWidth")
            assert cell.evaluate("cell => cell.getBoundingClientRect().right <= innerWidth")


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_rows_glide_unless_the_visitor_wants_no_motion(
    browser: Browser, playwright: Playwright, server: Running, motion: str
) -> None:
    server.score("ada", "duel")
    server.score("bob", "duel")
    moves = motion == "no-preference"
    with ExitStack() as stack:
        options = (
            {"browser": browser}
            if moves
            else stack.enter_context(preferring(browser, playwright, "reduced_motion", "reduce"))
        )
        context, _ = stack.enter_context(visiting(options.pop("browser"), server.url, **options))
        page = context.new_page()
        page.goto(server.url)
        expect_live(page)
        page.evaluate(
            f"""() => {{
              window.moved = false;
              const glides = (animation) => animation.effect.getKeyframes()[0].transform?.startsWith("translateY");
              const look = () => {{ window.moved ||= {ANIMATIONS}.some(glides); requestAnimationFrame(look); }};
              look();
            }}"""
        )
        server.score("bob", "quest")
        expect(page.locator("tbody .name bdi").first).to_have_text("bob")
        page.evaluate("new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))")
        assert page.evaluate("window.moved") is moves


def test_a_screen_reader_is_told_who_leads(browser: Browser, server: Running) -> None:
    server.score("ada", "duel", name="Ada")
    with visiting(browser, server.url) as (context, _):
        page = context.new_page()
        page.goto(server.url)
        expect_live(page)
        expect(page.get_by_role("table")).to_be_visible()
        expect(page.get_by_role("columnheader", name="Score")).to_be_visible()
        page.evaluate(
            """() => {
              window.told = [];
              const place = document.querySelector("score-board").shadowRoot.querySelector(".spoken");
              new MutationObserver(() => told.push(Date.now())).observe(place, { childList: true });
            }"""
        )
        server.score("bob", "quest", name="Bob")
        expect(page.locator(".spoken")).to_have_text("Bob leads with 50.")
        for user in ("ada", "bob", "ada", "bob"):
            server.score(user, "quest")
            expect(page.locator("tbody .name bdi").first).to_have_text(user.title())
        expect(page.locator(".spoken")).to_have_text("Bob leads with 150.")
        told = page.evaluate("told")
        assert len(told) == 2
        assert told[1] - told[0] >= 4_900


def test_the_api_is_described_without_any_other_host(browser: Browser, server: Running) -> None:
    server.score("ada")
    with visiting(browser, server.url) as (context, _):
        page = context.new_page()
        page.goto(f"{server.url}/docs")
        expect(page.locator(".opblock")).to_have_count(6)
        read = page.locator("#operations-leaderboard-readLeaderboard")
        read.locator(".opblock-summary-control").click()
        read.get_by_role("button", name="Try it out").click()
        read.get_by_role("button", name="Execute").click()
        expect(read.locator(".live-responses-table tbody .response-col_status")).to_contain_text("200")


def test_a_submission_whose_answer_is_lost_counts_once(chromium: Browser, server: Running) -> None:
    with visiting(chromium, server.url) as (context, witness):
        witness.expected = LOST
        page = context.new_page()
        page.goto(server.url)
        dropped: list[str] = []

        def lose_the_answer(route: Any) -> None:
            if dropped:
                route.continue_()
                return
            dropped.append(route.fetch().text())
            route.abort()

        page.route("**/api/scores", lose_the_answer)
        receipt = page.evaluate(
            "async (token) => (await import('/static/scoreboard.js')).submit('quest', { token })",
            server.token("ada"),
        )
        assert receipt["eventId"] in dropped[0]
        assert len(server.ledger()) == 1


OWN_CLIENT = """
() => {
  const source = new EventSource("/api/leaderboard/stream");
  source.addEventListener("leaderboard", () => { document.title = "has a board"; });
}
"""


def test_a_browser_whose_address_has_read_too_much_comes_back_by_itself(
    browser: Browser, tmp_path: Path
) -> None:
    with (
        running(tmp_path, HeldClock(), read_rate_limit="2/second") as server,
        visiting(browser, server.url) as (context, _),
    ):
        page = context.new_page()
        for _ in range(2):
            server.board()
        page.goto(server.url)
        # The browser's own, too, which would give up for good on any status but 200.
        page.evaluate(OWN_CLIENT)
        while server.scoreboard.hub.counts.refused < 2:
            page.wait_for_timeout(10)
        expect(page.locator(".state")).to_have_text(re.compile("^Reconnecting since "))
        server.clock.advance(1)
        expect_live(page)
        expect(page).to_have_title("has a board")
