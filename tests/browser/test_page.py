"""The page, its demo mode and its modules."""

import re
from typing import Any

from playwright.sync_api import Browser, expect

from tests.browser.board_page import (
    ANIMATIONS_FINISH,
    LOST,
    MARKUP,
    assert_accessible,
    expect_live,
    expect_order,
    hold_clock,
)
from tests.browser.browsers import visited, visiting
from tests.browser.sites import Site
from tests.harness import Running


def test_two_pages_show_a_new_order_without_a_reload(browser: Browser, server: Running) -> None:
    with visiting(browser, server.url) as context:
        pages = [context.new_page(), context.new_page()]
        for page in pages:
            page.goto(server.url)
            page.evaluate("window.loadedOnce = true")
            expect(page.get_by_text("Nobody has scored yet")).to_be_visible()
        server.score("ada", "duel", name="Ada")
        for page in pages:
            expect_live(page)
            expect_order(page, "Ada")
            expect(page.get_by_text("Nobody has scored yet")).to_be_hidden()
        server.score("bob", "quest", name="Bob")
        for page in pages:
            expect_order(page, "Bob", "Ada")
            assert page.evaluate("window.loadedOnce")


def test_players_with_equal_scores_share_a_rank_also_after_a_change(chromium: Browser, golf: Running) -> None:
    for number in range(8):
        golf.score(f"p{number}", "par" if number < 6 else "bogey")
    with visited(chromium, golf.url) as page:
        ranks = page.locator("tbody .rank > span:first-child")
        expect(ranks).to_have_text(["1", "1", "1", "1", "1", "1", "7", "7"])
        # The server sends this change as a patch.
        golf.score("p8", "bogey")
        expect(ranks).to_have_text(["1", "1", "1", "1", "1", "1", "7", "7", "7"])
        golf.score("p0", "par")
        expect_order(page, "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p0")
        expect(ranks).to_have_text(["1", "1", "1", "1", "1", "6", "6", "6", "9"])
    assert golf.scoreboard.hub.counts.patches > 0


def test_any_board_has_its_page(chromium: Browser, server: Running) -> None:
    server.score("ada", "visit")
    with visited(chromium, f"{server.url}/?board=side") as page:
        expect(page).to_have_title("Side")
        expect(page.get_by_role("heading", name="Side")).to_be_visible()
        expect_order(page, "ada")
    assert server.client.get("/?board=none").status_code == 404


def test_a_visitor_of_the_demo_takes_a_name_plays_and_rests(chromium: Browser, demo: Running) -> None:
    with visited(chromium, demo.url, expected=LOST) as page:
        page.get_by_role("button", name="Take a name").click()
        expect(page.locator("#guest")).to_have_text(re.compile(r"^\w+ \w+$"))
        name = page.locator("#guest").inner_text()
        quest = page.get_by_role("button", name="Quest +50")
        quest.click()
        expect(page.locator("#outcome")).to_have_text("+50 points: you have 50 and rank 1.")
        own = page.locator("tbody tr.own")
        expect(own.locator("bdi")).to_have_text(name)
        expect(own.locator(".you")).to_have_text("you")
        page.reload()
        expect(page.locator("#guest")).to_have_text(name)
        for number in range(2, 11):
            quest.click()
            expect(page.locator("#outcome")).to_contain_text(f"you have {50 * number} and")
        quest.click()
        expect(page.locator("#countdown")).to_have_text(
            re.compile(r"^The next one counts in (4\d|5\d|60) s\.$")
        )
        expect(page.locator("#outcome")).to_have_text("Well played! Catch your breath.")
        expect(quest).to_be_disabled()
        expect(quest).to_be_focused()
        assert demo.board()["entries"][0]["score"] == 500


def test_without_the_demo_there_are_no_guests(server: Running) -> None:
    assert server.client.post("/demo/guests").status_code == 404
    assert 'id="panel"' not in server.client.get("/").text


def test_everything_can_be_done_by_keyboard(browser: Browser, demo: Running) -> None:
    with visited(browser, demo.url) as page:
        expect_live(page)
        expect(page.get_by_role("button", name="Take a name")).to_be_visible()
        for name in ("Main", "Side"):
            page.keyboard.press("Tab")
            expect(page.get_by_role("link", name=name)).to_be_focused()
        page.keyboard.press("Tab")
        expect(page.get_by_role("button", name="Take a name")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Quest +50")).to_be_focused()
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
        expect(page.locator("#outcome")).to_have_text("+30 points: you have 30 and rank 1.")


def test_axe_finds_nothing(chromium: Browser, demo: Running) -> None:
    with visited(chromium, demo.url) as page:
        expect_live(page)
        assert_accessible(page)
        page.get_by_role("button", name="Take a name").click()
        page.get_by_role("button", name="Quest +50").click()
        expect(page.locator("tbody .score")).to_have_text(["50"])
        for _ in range(2):
            demo.score("bob")
        expect(page.locator("tbody .move.down")).to_be_visible()
        # Rows are translucent while they move.
        page.evaluate(ANIMATIONS_FINISH)
        assert_accessible(page)


def test_markup_in_a_name_is_shown_as_text_and_runs_nothing(
    chromium: Browser, server: Running, elsewhere: Site
) -> None:
    # On another site, no policy of ours stops a script.
    elsewhere.write(
        '<!doctype html><link rel="icon" href="data:,"><score-board></score-board>'
        f'<script type="module" src="{server.url}/static/score-board.js"></script>'
    )
    for user, name in zip(("ada", "bob", "cyd"), MARKUP[:3], strict=True):
        server.score(user, name=name)
    # The board shows the user id of a player without a name.
    server.score(MARKUP[3])
    for url in (server.url, elsewhere.url):
        with visited(chromium, url, server.url) as page:
            expect_order(page, *MARKUP)
            expect(page.locator("score-board").locator("img, script, svg, b")).to_have_count(0)
            assert page.evaluate("window.ran") is None


def test_a_screen_reader_announces_the_leader_at_most_every_five_seconds(
    chromium: Browser, server: Running
) -> None:
    server.score("ada", "duel", name="Ada")
    with visiting(chromium, server.url) as context:
        page = context.new_page()
        page.clock.install()
        page.goto(server.url)
        expect_live(page)
        expect(page.get_by_role("table")).to_be_visible()
        expect(page.get_by_role("columnheader", name="Score")).to_be_visible()
        hold_clock(page)
        announced = page.locator(".spoken")
        server.score("bob", "quest", name="Bob")
        expect_order(page, "Bob", "Ada")
        page.clock.run_for(0)
        expect(announced).to_have_text("Bob leads with 50.")
        for user, order in (("ada", ("Ada", "Bob")), ("bob", ("Bob", "Ada")), ("bob", ("Bob", "Ada"))):
            server.score(user, "quest", name=user.title())
            page.clock.run_for(1_000)
            expect_order(page, *order)
        page.clock.run_for(1_900)
        expect(announced).to_have_text("Bob leads with 50.")
        page.clock.run_for(200)
        expect(announced).to_have_text("Bob leads with 150.")


def test_the_api_is_described_without_any_other_host(chromium: Browser, server: Running) -> None:
    with visited(chromium, f"{server.url}/docs") as page:
        expect(page.locator(".opblock")).to_have_count(9)


def test_a_submission_whose_answer_is_lost_counts_once(chromium: Browser, server: Running) -> None:
    with visited(chromium, server.url, expected=LOST) as page:
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


MISTAKES = [
    "submit('quest', { token: 'a.b.c', userId: 'ada', url: 'http://' })",
    "submit('quest', { token: 'a.b.c', userId: 'ada', url: 'ftp://127.0.0.1/' })",
    "submit('quest', { token: 'a.b.c', userId: 'ada', url: 'http://a:b@127.0.0.1/' })",
    "submit('quest', { token: 'a\\nb', userId: 'ada' })",
    "submit('quest', { token: 'ü→', userId: 'ada' })",
    "watch('http://', { onBoard() {} })",
    "watch('ftp://127.0.0.1/', { onBoard() {} })",
    "watch(location.href, { onBoard() {}, token: 'a\\nb' })",
    "watch(location.href, {})",
]


def test_a_wrong_call_throws_a_type_error(chromium: Browser, server: Running) -> None:
    with visited(chromium, server.url) as page:
        for call in MISTAKES:
            name = page.evaluate(
                f"""async () => {{
                  const {{ submit, watch }} = await import("/static/scoreboard.js");
                  try {{ await {call}; }} catch (error) {{ return error.name; }}
                }}"""
            )
            assert name == "TypeError", call


def test_a_submission_ends_with_its_signal(chromium: Browser, server: Running) -> None:
    with visited(chromium, server.url, expected=LOST) as page:
        page.route("**/api/scores", lambda route: route.fulfill(status=503))
        name = page.evaluate(
            """async (token) => {
              const { submit } = await import("/static/scoreboard.js");
              const controller = new AbortController();
              setTimeout(() => controller.abort(), 50);
              try { await submit("quest", { token, signal: controller.signal }); } catch (error) {
                return error.name;
              }
            }""",
            server.token("ada"),
        )
        assert name == "AbortError"


def test_an_error_in_a_callback_does_not_end_the_stream(chromium: Browser, server: Running) -> None:
    with visited(chromium, server.url, expected=("mistake",)) as page:
        page.evaluate(
            """async () => {
              const { watch } = await import("/static/scoreboard.js");
              window.seen = [];
              watch(location.origin, { onBoard(board) { seen.push(board.version); throw new Error("mistake");
              } });
            }"""
        )
        for version in range(1, 4):
            server.score("ada")
            page.wait_for_function("(version) => seen.at(-1) === version", arg=version)
