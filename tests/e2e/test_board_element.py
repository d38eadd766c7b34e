"""`<score-board>` on pages of all kinds: strict policies, styles from outside, attributes that change."""

import re
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.e2e.browser import visiting
from tests.e2e.proxy import proxying
from tests.e2e.sites import Site
from tests.e2e.test_page import expect_live, expect_order
from tests.harness import Running

STREAM = "/api/leaderboard/stream"

BLANK = '<!doctype html><link rel="icon" href="data:,">'
SCRIPT = '<script type="module" src="{url}/static/score-board.js"></script>'
ELEMENT = BLANK + SCRIPT


def count_streams(page: Page) -> list[str]:
    """The streams that the page asks for from now on."""
    streams: list[str] = []
    page.on(
        "request",
        lambda request: streams.append(request.url) if urlsplit(request.url).path == STREAM else None,
    )
    return streams


@pytest.mark.parametrize(
    "attributes", ['board="side"', 'src="{url}"', 'src="{url}" board="side" own="ada" label="Best"']
)
def test_an_element_with_attributes_opens_one_stream(
    browser: Browser, server: Running, elsewhere: Site, attributes: str
) -> None:
    server.score("ada", "visit")
    server.score("ada", "quest")
    markup = f"<score-board {attributes}></score-board>".format(url=server.url)
    with visiting(browser, server.url, elsewhere.url) as (context, _):
        # Without locks a stream is asked for at once, so that also one that is given up at once is seen.
        context.add_init_script("delete Navigator.prototype.locks;")
        for page_text in (SCRIPT.format(url=server.url) + markup, markup + SCRIPT.format(url=server.url)):
            elsewhere.write(BLANK + page_text)
            page = context.new_page()
            streams = count_streams(page)
            page.goto(elsewhere.url)
            expect_live(page)
            expect_order(page, "ada")
            assert len(streams) == 1
            page.close()


def test_attributes_that_change_together_open_one_stream_and_moving_the_element_none(
    browser: Browser, server: Running
) -> None:
    server.score("ada", "visit")
    with visiting(browser, server.url) as (context, _):
        page = context.new_page()
        page.goto(server.url)
        expect_live(page)
        streams = count_streams(page)
        page.evaluate("document.querySelector('main').append(document.querySelector('score-board'))")
        page.evaluate(
            """() => {
              const board = document.querySelector("score-board");
              board.setAttribute("src", location.origin + "/");
              board.setAttribute("board", "main");
              board.setAttribute("board", "side");
              board.setAttribute("board", "side");
            }"""
        )
        expect_order(page, "ada")
        expect_live(page)
        assert len(streams) == 1
        page.evaluate("document.querySelector('score-board').remove()")
        server.score("ada", "visit")
        assert len(streams) == 1


POLICY = "require-trusted-types-for 'script'; trusted-types 'none'; style-src 'none'; default-src {url}; img-src data:"


def test_the_element_works_under_the_strictest_policy(
    browser: Browser, server: Running, elsewhere: Site
) -> None:
    server.score("ada")
    policy = POLICY.format(url=server.url)
    elsewhere.write(
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        + ELEMENT.format(url=server.url)
        + '<score-board own="ada"></score-board>'
    )
    with visiting(browser, server.url, elsewhere.url) as (context, _):
        page = context.new_page()
        page.goto(elsewhere.url)
        expect_order(page, "ada")
        expect_live(page)
        server.score("bob", "jackpot")
        expect_order(page, "bob", "ada")
        assert page.locator("table").evaluate("table => getComputedStyle(table).borderSpacing") == "0px"


def test_our_own_pages_require_trusted_types(server: Running) -> None:
    for path in ("/", "/?board=side"):
        assert (
            "require-trusted-types-for 'script'" in server.client.get(path).headers["Content-Security-Policy"]
        )


def test_an_address_that_is_none_is_reported_as_what_it_is(browser: Browser, server: Running) -> None:
    with visiting(browser, server.url) as (context, witness):
        witness.expected = ("",)
        page = context.new_page()
        reported: list[str] = []
        page.on("pageerror", lambda error: reported.append(str(error)))
        page.goto(server.url)
        expect_live(page)
        page.evaluate("document.querySelector('score-board').setAttribute('src', 'http://')")
        expect(page.locator(".state")).to_have_attribute("data-state", "refused")
        page.evaluate("new Promise((done) => setTimeout(done))")
        assert any("http://" in error or "URL" in error for error in reported)
        page.evaluate("document.querySelector('score-board').removeAttribute('src')")
        expect_live(page)


@pytest.mark.parametrize("part", ["own-row", "rank-1", "rank-2", "rank-3", "row"])
def test_an_outline_of_a_row_is_seen_on_all_edges(
    browser: Browser, server: Running, elsewhere: Site, part: str
) -> None:
    for number in range(4):
        for _ in range(4 - number):
            server.score(f"user-{number}")
    own = {"rank-1": 0, "rank-2": 1, "rank-3": 2}.get(part, 1)
    elsewhere.write(
        ELEMENT.format(url=server.url)
        + f"<style>score-board::part({part}) {{ outline: 2px solid #f00 }}</style>"
        + f'<score-board own="user-{own}"></score-board>'
    )
    with visiting(browser, server.url, elsewhere.url, viewport={"width": 700, "height": 600}) as (context, _):
        page = context.new_page()
        page.goto(elsewhere.url)
        expect(page.locator("tbody tr")).to_have_count(4)
        page.evaluate(
            "Promise.all(document.querySelector('score-board').shadowRoot.getAnimations().map((each) => each.finished))"
        )
        box = page.locator("tbody tr").nth(own).bounding_box()
        assert box is not None
        picture = Image.open(BytesIO(page.screenshot())).convert("RGB")
        left, top = int(box["x"]), int(box["y"])
        right, bottom = int(box["x"] + box["width"]), int(box["y"] + box["height"])
        middle_x, middle_y = (left + right) // 2, (top + bottom) // 2
        edges = {
            "left": [(x, middle_y) for x in range(left - 3, left + 5)],
            "right": [(x, middle_y) for x in range(right - 5, right + 3)],
            "top": [(middle_x, y) for y in range(top - 3, top + 5)],
            "bottom": [(middle_x, y) for y in range(bottom - 5, bottom + 3)],
        }
        unseen = {
            name
            for name, points in edges.items()
            if not any(picture.getpixel(point) == (255, 0, 0) for point in points)
        }
        assert unseen == set()


PARTS = {
    "frame",
    "state",
    "state-live",
    "table",
    "caption",
    "heading",
    "row",
    "own-row",
    "rank-1",
    "rank-2",
    "rank-3",
}
PARTS |= {"rank", "name", "score", "move", "move-up", "move-down", "you", "empty"}


def test_every_part_can_be_styled(browser: Browser, server: Running, elsewhere: Site) -> None:
    server.score("ada", "duel")
    server.score("bob", "duel")
    server.score("cyd")
    elsewhere.write(ELEMENT.format(url=server.url) + '<score-board own="ada"></score-board>')
    with visiting(browser, server.url, elsewhere.url) as (context, _):
        page = context.new_page()
        page.goto(elsewhere.url)
        expect_order(page, "cyd", "ada", "bob")
        server.score("bob")
        expect_order(page, "bob", "cyd", "ada")
        expect_live(page)
        there = page.evaluate(
            """[...document.querySelector("score-board").shadowRoot.querySelectorAll("[part]")]
              .flatMap((each) => [...each.part])"""
        )
        assert set(there) == PARTS


def test_a_page_with_its_own_copy_of_the_module_waits_for_a_server_that_is_down(
    browser: Browser, server: Running, elsewhere: Site
) -> None:
    server.score("ada")
    for name in vendored_files():
        elsewhere.write(server.client.get(f"/static/{name}").text, name)
    with proxying(server.url) as proxy, visiting(browser, proxy.url, elsewhere.url) as (context, witness):
        witness.expected = ("Failed to load resource", "The Same Origin Policy", "Access to fetch")
        elsewhere.write(
            '<!doctype html><link rel="icon" href="data:,"><script type="module" src="score-board.js"></script>'
            f'<score-board src="{proxy.url}"></score-board>'
        )
        proxy.go_down()
        page = context.new_page()
        page.goto(elsewhere.url)
        expect(page.locator(".state")).to_have_attribute("data-state", "reconnecting")
        proxy.come_back()
        expect_live(page)
        expect_order(page, "ada")


def vendored_files() -> list[str]:
    """Return the element's file and all that it imports."""
    static = Path(__file__).parents[2] / "src" / "scoreboard" / "web" / "static"
    found = ["score-board.js"]
    for name in found:
        imported = re.findall(r' from "\./([\w-]+\.js)"', (static / name).read_text(encoding="utf-8"))
        found += [each for each in dict.fromkeys(imported) if each not in found]
    return found


def test_the_page_loads_all_files_of_the_element_at_once(server: Running) -> None:
    page = server.client.get("/").text
    assert [name for name in vendored_files() if f"static/{name}" not in page] == []
