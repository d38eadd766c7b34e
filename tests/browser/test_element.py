"""`<score-board>` on other pages: strict policies, styles from outside, attributes that change."""

import re
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser.board_page import (
    ANIMATIONS_FINISH,
    expect_live,
    expect_order,
    set_attribute,
)
from tests.browser.browsers import visited, visiting
from tests.browser.sites import Site
from tests.harness import Running

STREAM = "/api/leaderboard/stream"

BLANK = '<!doctype html><link rel="icon" href="data:,">'
SCRIPT = '<script type="module" src="{url}/static/score-board.js"></script>'
ELEMENT = BLANK + SCRIPT


def count_streams(page: Page) -> list[str]:
    """Return a list of the streams that the page requests from now on."""
    streams: list[str] = []
    page.on(
        "request",
        lambda request: streams.append(request.url) if urlsplit(request.url).path == STREAM else None,
    )
    return streams


def test_the_element_works_on_a_page_of_another_origin(
    browser: Browser, server: Running, elsewhere: Site
) -> None:
    elsewhere.write(
        ELEMENT.format(url=server.url) + '<p>My game</p><score-board board="main" label="Best"></score-board>'
    )
    server.score("ada")
    with visited(browser, elsewhere.url, server.url) as page:
        expect_order(page, "ada")
        expect(page.locator("caption")).to_have_text("Best · all players so far")
        server.score("bob", "jackpot")
        expect_order(page, "bob", "ada")


POLICY = (
    "require-trusted-types-for 'script'; trusted-types 'none'; style-src 'none'; default-src {url}; "
    "img-src data:"
)


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
    with visited(browser, elsewhere.url, server.url) as page:
        expect_order(page, "ada")
        expect_live(page)
        server.score("bob", "jackpot")
        expect_order(page, "bob", "ada")
        assert page.locator("table").evaluate("table => getComputedStyle(table).borderSpacing") == "0px"


def test_our_own_pages_require_trusted_types(server: Running) -> None:
    for path in ("/", "/?board=side"):
        policy = server.client.get(path).headers["Content-Security-Policy"]
        assert "require-trusted-types-for 'script'" in policy


def test_an_element_with_attributes_opens_one_stream(
    chromium: Browser, server: Running, elsewhere: Site
) -> None:
    server.score("ada", "visit")
    server.score("ada", "quest")
    script = SCRIPT.format(url=server.url)
    with visiting(chromium, server.url, elsewhere.url) as context:
        # Without locks, a stream is requested at once: one that is given up at once is seen, too.
        context.add_init_script("delete Navigator.prototype.locks;")
        for attributes in ('board="side"', 'src="{url}"', 'src="{url}" board="side" own="ada" label="Best"'):
            markup = f"<score-board {attributes}></score-board>".format(url=server.url)
            for content in (script + markup, markup + script):
                elsewhere.write(BLANK + content)
                page = context.new_page()
                streams = count_streams(page)
                page.goto(elsewhere.url)
                expect_live(page)
                expect_order(page, "ada")
                assert len(streams) == 1
                page.close()


def test_attributes_that_change_together_open_one_stream_and_moving_the_element_none(
    chromium: Browser, server: Running
) -> None:
    server.score("ada", "visit")
    with visited(chromium, server.url) as page:
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


def test_an_invalid_address_is_reported(chromium: Browser, server: Running) -> None:
    with visited(chromium, server.url, expected=("",)) as page:
        expect_live(page)
        with page.expect_event("pageerror") as reported:
            set_attribute(page, "src", "http://")
        assert "URL" in str(reported.value)
        expect(page.locator(".state")).to_have_attribute("data-state", "refused")
        page.evaluate("document.querySelector('score-board').removeAttribute('src')")
        expect_live(page)


def test_an_outline_of_a_row_is_seen_on_all_edges(browser: Browser, server: Running, elsewhere: Site) -> None:
    for number in range(4):
        for _ in range(4 - number):
            server.score(f"user-{number}")
    elsewhere.write(ELEMENT.format(url=server.url) + "<style></style><score-board></score-board>")
    with visited(browser, elsewhere.url, server.url, viewport={"width": 700, "height": 600}) as page:
        expect(page.locator("tbody tr")).to_have_count(4)
        page.evaluate(ANIMATIONS_FINISH)
        for part, index in {"own-row": 1, "rank-1": 0, "rank-2": 1, "rank-3": 2, "row": 1}.items():
            set_attribute(page, "own", f"user-{index}")
            page.locator("style").first.evaluate(
                "(style, part) => "
                "{ style.textContent = `score-board::part(${part}) { outline: 2px solid #f00 }`; }",
                part,
            )
            assert unseen_edges(page, index) == set(), part


def unseen_edges(page: Page, index: int) -> set[str]:
    """Return the edges of a row that are not painted red."""
    box = page.locator("tbody tr").nth(index).bounding_box()
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
    return {
        name
        for name, points in edges.items()
        if not any(picture.getpixel(point) == (255, 0, 0) for point in points)
    }


PARTS = {"state", "state-live", "period", "frame", "table", "caption", "heading", "empty", "note"}
PARTS |= {"row", "own-row", "rank-1", "rank-2", "rank-3"}
PARTS |= {"rank", "name", "score", "move", "move-up", "move-down", "you"}


def test_every_part_can_be_styled(chromium: Browser, server: Running, elsewhere: Site) -> None:
    server.score("ada", "duel")
    server.score("bob", "duel")
    server.score("cyd")
    elsewhere.write(ELEMENT.format(url=server.url) + '<score-board own="ada"></score-board>')
    with visited(chromium, elsewhere.url, server.url) as page:
        expect_order(page, "cyd", "ada", "bob")
        server.score("bob")
        expect_order(page, "bob", "cyd", "ada")
        expect_live(page)
        there = page.evaluate(
            """[...document.querySelector("score-board").shadowRoot.querySelectorAll("[part]")]
              .flatMap((each) => [...each.part])"""
        )
        assert set(there) == PARTS


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
