"""How the board looks and moves: at every size, in either direction of writing."""

import re
from collections.abc import Callable
from io import BytesIO
from itertools import pairwise, product
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser.board_page import (
    ANIMATIONS_FINISH,
    SHADOW,
    expect_live,
    expect_order,
    hold_clock,
    set_attribute,
)
from tests.browser.browsers import visited, visiting
from tests.clocks import HeldClock
from tests.harness import Running, running
from tests.servers.process import until
from tests.web.test_administration import admin

PHOTOGRAPHED = ("policy violated: style-src-elem inline", "The page’s settings blocked an inline style")
"""In Firefox, Playwright takes a picture with an inline style, which the page's policy blocks."""

PHONE = {"width": 360, "height": 740}

ARABIC = "لاعب طويل جدا اسمه لا ينتهي أبدا ويستمر إلى ما لا نهاية"

LONG_NAMES = {"long": "W" * 128, "arabic": "لاعب" * 32, "hebrew": "שחקן", "emoji": "🎮" * 128}


def resize(page: Page, width: int, height: int = 700, direction: str = "ltr") -> None:
    page.set_viewport_size({"width": width, "height": height})
    page.evaluate("(direction) => (document.documentElement.dir = direction)", direction)


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


def watch_frames(page: Page, expression: str) -> None:
    """Collect the values of an expression in each painted frame."""
    page.evaluate(
        f"""() => {{
          window.noted = [];
          const note = () => {{ noted.push({expression}); requestAnimationFrame(note); }};
          note();
        }}"""
    )


def test_a_score_that_changes_makes_no_scrollbar(browser: Browser, server: Running) -> None:
    server.score("bob", "jackpot")
    server.score("ada", "prize")
    with visited(browser, server.url) as page:
        expect_order(page, "bob", "ada")
        frame = f"{SHADOW}.querySelector('.frame')"
        watch_frames(
            page,
            f"""[{frame}.scrollWidth - {frame}.clientWidth, {frame}.offsetHeight - {frame}.clientHeight,
              document.documentElement.scrollWidth > innerWidth]""",
        )
        for turn, (width, direction) in enumerate(product((300, 760), ("ltr", "rtl")), start=2):
            resize(page, width, direction=direction)
            server.score("ada", "prize")
            expect(page.locator("tbody .score").last).to_have_text(f"{turn * 123_456_789:,}")
            page.evaluate(ANIMATIONS_FINISH)
            # The frame's border is one pixel on each side.
            assert {tuple(each) for each in page.evaluate("noted")} == {(0, 2, False)}


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


def test_a_climbing_row_passes_in_front(browser: Browser, server: Running) -> None:
    for user, action in {"ada": "prize", "bob": "quest", "cyd": "duel"}.items():
        server.score(user, action)
    with visited(browser, server.url) as page:
        expect_order(page, "ada", "bob", "cyd")
        # Hold each animation, to look at it where the rows cross.
        page.evaluate(
            """() => {
              const animate = Element.prototype.animate;
              Element.prototype.animate = function (...given) {
                const animation = animate.apply(this, given);
                animation.pause();
                return animation;
              };
            }"""
        )
        server.score("cyd", "prize")
        expect_order(page, "cyd", "ada", "bob")
        on_top = page.evaluate(
            f"""() => {{
              const root = {SHADOW};
              const climber = root.querySelector("tbody tr");
              const passed = [];
              for (const share of [0.3, 0.5, 0.8]) {{
                for (const each of root.getAnimations()) {{
                  each.effect.updateTiming({{ easing: "linear" }});
                  each.currentTime = share * each.effect.getTiming().duration;
                }}
                const {{ left, top, height }} = climber.getBoundingClientRect();
                for (const part of [0.1, 0.5, 0.9]) {{
                  const seen = root.elementFromPoint(left + 30, top + part * height);
                  passed.push(seen.closest("tr")?.dataset.userId);
                }}
              }}
              return passed;
            }}"""
        )
        assert on_top == ["cyd"] * 9


def test_rows_glide_unless_the_visitor_wants_no_motion(chromium: Browser, server: Running) -> None:
    for user in ("ada", "bob"):
        server.score(user, "duel")
    with visiting(chromium, server.url) as context:
        page = context.new_page()
        page.goto(server.url)
        expect_live(page)
        glides = 'animation.effect.getKeyframes()[0].transform?.startsWith("translateY")'
        for leader, action, motion in (("bob", "quest", "no-preference"), ("ada", "prize", "reduce")):
            page.emulate_media(reduced_motion=motion)  # type: ignore[arg-type]
            page.evaluate(ANIMATIONS_FINISH)
            watch_frames(page, f"{SHADOW}.getAnimations().some((animation) => {glides})")
            server.score(leader, action)
            expect(page.locator("tbody .name bdi").first).to_have_text(leader)
            page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
            assert any(page.evaluate("noted")) is (motion == "no-preference")


def test_a_busy_board_is_painted_once_a_second_and_a_calm_one_at_once(
    chromium: Browser, server: Running
) -> None:
    for number in range(7):
        server.score(f"user-{number}")
    with visiting(chromium, server.url) as context:
        page = context.new_page()
        page.clock.install()
        page.goto(server.url)
        expect(page.locator("tbody tr")).to_have_count(7)
        hold_clock(page)
        page.evaluate(
            f"""async () => {{
              const {{ watch }} = await import("/static/scoreboard.js");
              watch(location.href, {{ onBoard: ({{ version }}) => (window.received = version) }});
              window.mostMoving = 0;
              document.querySelector("score-board").addEventListener("board", ({{ detail }}) => {{
                window.painted = detail.version;
                for (const row of {SHADOW}.querySelectorAll("tbody tr")) {{
                  mostMoving = Math.max(mostMoving, row.querySelector(".score").getAnimations().length);
                }}
              }});
            }}"""
        )

        def is_at(name: str, version: int) -> Callable[[], bool]:
            return lambda: page.evaluate(f"window.{name}") == version

        for version in (8, 16):
            # The last paint was long ago: the change is painted as soon as it is received.
            server.score("user-0", "duel")
            until(is_at("painted", version), "the change is painted")
            for number in range(7):
                server.score(f"user-{number}", "quest")
            until(is_at("received", version + 7), "all changes are received")
            page.clock.run_for(990)
            assert page.evaluate("painted") == version
            page.clock.run_for(10)
            until(is_at("painted", version + 7), "all changes are painted")
            page.clock.run_for(1_000)
        assert page.evaluate("mostMoving") == 1


SHIFTS = """
window.shifted = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) shifted += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""


def test_nothing_moves_while_the_page_loads_on_a_phone(chromium: Browser, demo: Running) -> None:
    with visiting(chromium, demo.url, viewport=PHONE) as context:
        context.add_init_script(SHIFTS)
        there = 0
        for players in (0, 1, 3, 12):
            for number in range(there, players):
                demo.score(f"user-{number}")
            there = players
            page = context.new_page()
            page.goto(demo.url)
            expect_live(page)
            expect(page.locator("tbody tr")).to_have_count(min(players, 10))
            expect(page.get_by_role("button", name="Take a name")).to_be_visible()
            page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
            assert page.evaluate("shifted") < 0.05
            page.close()


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
                    "names => names.map((name) => name.clientWidth / parseFloat(getComputedStyle(name).fontSize))"
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
        assert admin(server, "adjust", userId="arabic", board="main", points=-55).status_code == 200
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
