"""How the board looks: at every size, in either direction of writing."""

import re
from io import BytesIO
from itertools import pairwise, product
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser.board_page import (
    ANIMATIONS_FINISH,
    PHONE,
    expect_live,
    resize,
    set_attribute,
)
from tests.browser.browsers import visited
from tests.clocks import HeldClock
from tests.harness import Running, running
from tests.web.administrator import admin

PHOTOGRAPHED = ("policy violated: style-src-elem inline", "The page’s settings blocked an inline style")
"""In Firefox, Playwright takes a picture with an inline style, which the page's policy blocks."""

ARABIC = "لاعب طويل جدا اسمه لا ينتهي أبدا ويستمر إلى ما لا نهاية"

LONG_NAMES = {"long": "W" * 128, "arabic": "لاعب" * 32, "hebrew": "שחקן", "emoji": "🎮" * 128}


def photograph(page: Page) -> Image.Image:
    """Take a grey picture of what is seen."""
    return Image.open(BytesIO(page.screenshot())).convert("L")


def assert_no_horizontal_scrolling(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def assert_scores_are_whole(page: Page) -> None:
    """No score is cut off, by its cell or by the window."""
    assert page.locator("tbody .score").evaluate_all(
        """cells => cells.every((cell) => cell.scrollWidth <= cell.clientWidth
          && cell.getBoundingClientRect().right <= document.documentElement.clientWidth)"""
    )


def test_lines_between_rows_are_painted(browser: Browser, server: Running) -> None:
    for number in range(4):
        server.score(f"user-{number}")
    with visited(browser, server.url, expected=PHOTOGRAPHED) as page:
        expect(page.locator("tbody tr")).to_have_count(4)
        page.evaluate(ANIMATIONS_FINISH)
        for width in (360, 760):
            resize(page, width)
            box = page.locator("tbody").bounding_box()
            assert box is not None
            picture = photograph(page)
            # A column without text is white, with one dark line above each row.
            x, top, bottom = int(box["x"] + 4), int(box["y"]) - 1, int(box["y"] + box["height"]) - 15
            is_dark = [False, *(pixel < 247 for pixel in picture.crop((x, top, x + 1, bottom)).tobytes())]
            assert sum(here and not above for above, here in pairwise(is_dark)) == 4


def test_a_board_fits_phones_and_televisions_whatever_the_names(browser: Browser, server: Running) -> None:
    server.score("prize", "prize", name="W" * 128)
    for user, name in LONG_NAMES.items():
        server.score(user, name=name)
    for number in range(7):
        server.score(f"user-{number}", "duel")
    with visited(browser, server.url) as page:
        expect(page.locator("tbody tr")).to_have_count(10)
        page.evaluate(ANIMATIONS_FINISH)
        for width in (250, 320, 900, 1_920):
            resize(page, width, 1_080)
            assert_scores_are_whole(page)
            if width >= 320:
                assert_no_horizontal_scrolling(page)
                # The leader's score is so long that it may have a line of its own.
                _, *heights = page.locator("tbody tr").evaluate_all(
                    "rows => rows.map((row) => row.offsetHeight)"
                )
                assert max(heights) <= 1.3 * min(heights)
        expect(page.locator("tbody tr").nth(9)).to_be_in_viewport(ratio=1)
        font_size = page.locator("tbody tr").first.evaluate(
            "row => parseFloat(getComputedStyle(row).fontSize)"
        )
        assert font_size >= 24


def test_names_stay_readable_on_a_phone_with_large_text(browser: Browser, server: Running) -> None:
    with visited(browser, server.url, viewport=PHONE) as page:
        for number, action in enumerate(("quest", "prize", "jackpot"), start=1):
            server.score(f"user-{number}", action, name="Ada Lovelace")
            expect(page.locator("tbody tr")).to_have_count(number)
            for size in ("100%", "200%"):
                page.evaluate("(size) => (document.documentElement.style.fontSize = size)", size)
                letters = page.locator("tbody .name bdi").evaluate_all(
                    "names => names.map((name) => name.clientWidth / "
                    "parseFloat(getComputedStyle(name).fontSize))"
                )
                assert min(letters) >= 4
                assert_scores_are_whole(page)
                assert_no_horizontal_scrolling(page)


EDGES = """
(element, indices) => {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  const text = walker.nextNode();
  return indices.map((index) => {
    const range = document.createRange();
    range.setStart(text, index);
    range.setEnd(text, index + 1);
    return range.getBoundingClientRect().toJSON();
  });
}
"""
"""Returns the rectangles of characters, by a range over each."""


def test_words_numbers_and_names_read_right_in_either_direction(browser: Browser, tmp_path: Path) -> None:
    with (
        running(tmp_path, HeldClock(), admin_on_public_port=True) as server,
        visited(browser, server.url) as page,
    ):
        expect_live(page)
        resize(page, 760, direction="rtl")
        for place in (".state bdi", ".empty bdi"):
            text = page.locator(place)
            last = len(text.inner_text()) - 1
            first_character, last_character = text.evaluate(f"place => ({EDGES})(place, [0, {last}])")
            assert first_character["left"] < last_character["left"]
        server.score("arabic", name=ARABIC * 3)
        server.score("latin", name="Maximilian von Hohenzollern " * 5)
        admin(server, "adjust", userId="arabic", board="main", points=-55)
        expect(page.locator("tbody .score").last).to_contain_text("5")
        page.evaluate(ANIMATIONS_FINISH)
        for width, direction in product((360, 760), ("ltr", "rtl")):
            resize(page, width, direction=direction)
            minus, five = page.locator("tbody .score").nth(1).evaluate(f"cell => ({EDGES})(cell, [0, 1])")
            assert minus["right"] <= five["left"] + 1
            for index in range(2):
                name = page.locator("tbody .name bdi").nth(index)
                (first,) = name.evaluate(f"name => ({EDGES})(name, [0])")
                cell = (
                    page.locator("tbody .name")
                    .nth(index)
                    .evaluate("cell => cell.getBoundingClientRect().toJSON()")
                )
                assert cell["left"] <= first["left"]
                assert first["right"] <= cell["right"]


@pytest.mark.parametrize("name", ["chromium", "strict_firefox"])
def test_the_live_mark_and_the_own_row_are_seen_in_forced_colours(
    request: pytest.FixtureRequest, server: Running, name: str
) -> None:
    options = {"forced_colors": "active"} if name == "chromium" else {}
    server.score("ada")
    with visited(request.getfixturevalue(name), server.url, expected=PHOTOGRAPHED, **options) as page:
        expect_live(page)
        assert page.evaluate("matchMedia('(forced-colors: active)').matches")
        assert_marked(page)
        set_attribute(page, "own", "ada")
        assert page.locator("tr.own").evaluate("row => getComputedStyle(row).outlineStyle") == "solid"


def test_the_live_mark_is_printed_and_the_panel_is_not(chromium: Browser, demo: Running) -> None:
    with visited(chromium, demo.url, color_scheme="dark") as page:
        expect_live(page)
        page.emulate_media(media="print")
        assert_marked(page)
        border = page.locator(".state").evaluate(
            "state => getComputedStyle(state, '::before').borderTopWidth"
        )
        assert border != "0px"
        expect(page.locator("#panel")).to_be_hidden()
        assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"


def assert_marked(page: Page) -> None:
    """There is a dot left of the state's words."""
    left = page.locator(".state bdi").bounding_box()
    state = page.locator(".state").bounding_box()
    assert left is not None
    assert state is not None
    mark = (int(state["x"]), int(state["y"]), int(left["x"]), int(state["y"] + state["height"]))
    pixels = photograph(page).crop(mark).tobytes()
    assert max(pixels) - min(pixels) > 60
    assert re.match("Live since", page.locator(".state").inner_text())
