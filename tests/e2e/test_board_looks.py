"""How the board looks and moves: in every browser, at every size, in either direction of writing."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, Playwright, expect

from tests.clocks import HeldClock
from tests.e2e.browser import preferring, visiting
from tests.e2e.processes import serving
from tests.e2e.test_page import expect_live, expect_order
from tests.harness import Running, running
from tests.web.test_administration import admin

PHOTOGRAPHED = ("policy violated: style-src-elem inline", "The page’s settings blocked an inline style")
"""In Firefox, Playwright takes a picture with the help of an inline style, which the page's policy forbids."""

PHONE = {"width": 360, "height": 740}

ARABIC = "لاعب طويل جدا اسمه لا ينتهي أبدا ويستمر إلى ما لا نهاية"

SHADOW = "document.querySelector('score-board').shadowRoot"


@contextmanager
def scoring(server: Running, per_second: int, seconds: int) -> Iterator[Callable[[], None]]:
    """Change the board evenly for a while, in a thread; yield what waits for its end."""
    done = threading.Event()

    def work() -> None:
        for number in range(per_second * seconds):
            if done.wait(1 / per_second):
                return
            server.score(f"user-{number % 7}", "duel" if number % 3 else "quest")

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield thread.join
    finally:
        done.set()
        thread.join()


def photograph(page: Page) -> Image.Image:
    """Take a grey picture of what is seen."""
    return Image.open(BytesIO(page.screenshot())).convert("L")


def watch_frames(page: Page, expression: str) -> None:
    """Note in `noted` what an expression is in each frame that the browser paints."""
    page.evaluate(
        f"""() => {{
          window.noted = [];
          const note = () => {{ noted.push({expression}); requestAnimationFrame(note); }};
          note();
        }}"""
    )


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
@pytest.mark.parametrize("width", [300, 760])
def test_a_score_that_changes_makes_no_scrollbar(
    browser: Browser, server: Running, width: int, direction: str
) -> None:
    server.score("ada", "prize")
    with visiting(browser, server.url, viewport={"width": width, "height": 700}) as (context, _):
        page = context.new_page()
        page.goto(server.url)
        page.evaluate("(direction) => (document.documentElement.dir = direction)", direction)
        expect_order(page, "ada")
        frame = f"{SHADOW}.querySelector('.frame')"
        watch_frames(
            page,
            f"""[{frame}.scrollWidth - {frame}.clientWidth, {frame}.offsetHeight - {frame}.clientHeight,
              document.documentElement.scrollWidth > innerWidth]""",
        )
        server.score("ada", "prize")
        expect(page.locator("tbody .score")).to_have_text("246,913,578")
        server.score("bob", "jackpot")
        expect_order(page, "bob", "ada")
        page.evaluate("new Promise((done) => setTimeout(done, 300))")
        # The frame's border is one pixel on each side.
        assert {tuple(each) for each in page.evaluate("noted")} == {(0, 2, False)}


@pytest.mark.parametrize("width", [360, 760])
def test_lines_between_rows_are_painted(browser: Browser, server: Running, width: int) -> None:
    for number in range(4):
        server.score(f"user-{number}")
    with visiting(browser, server.url, viewport={"width": width, "height": 700}) as (context, witness):
        witness.expected = PHOTOGRAPHED
        page = context.new_page()
        page.goto(server.url)
        expect(page.locator("tbody tr")).to_have_count(4)
        page.evaluate(f"Promise.all({SHADOW}.getAnimations().map((each) => each.finished))")
        box = page.locator("tbody").bounding_box()
        assert box is not None
        picture = photograph(page)
        # Down a column without text, white with one dark line above each row.
        x, top, bottom = int(box["x"] + 4), int(box["y"]) - 1, int(box["y"] + box["height"]) - 15
        is_dark = [False, *(pixel < 247 for pixel in picture.crop((x, top, x + 1, bottom)).tobytes())]
        assert sum(here and not above for above, here in pairwise(is_dark)) == 4


def test_whoever_climbs_passes_in_front(browser: Browser, server: Running) -> None:
    for user, action in {"ada": "prize", "bob": "quest", "cyd": "duel"}.items():
        server.score(user, action)
    with visiting(browser, server.url) as (context, _):
        page = context.new_page()
        page.goto(server.url)
        expect_order(page, "ada", "bob", "cyd")
        # Hold each animation where the rows cross.
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
              const distance = 2 * climber.offsetHeight;
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


def test_a_busy_board_is_painted_about_once_a_second_and_a_calm_one_at_once(
    browser: Browser, server: Running
) -> None:
    for number in range(7):
        server.score(f"user-{number}")
    with visiting(browser, server.url) as (context, _):
        page = context.new_page()
        page.goto(server.url)
        expect(page.locator("tbody tr")).to_have_count(7)
        page.evaluate(
            f"""() => {{
              window.painted = [];
              window.mostMoving = 0;
              document.querySelector("score-board").addEventListener("board", ({{ detail }}) => {{
                painted.push([performance.now(), detail.version]);
                for (const row of {SHADOW}.querySelectorAll("tbody tr")) {{
                  mostMoving = Math.max(mostMoving, row.querySelector(".score").getAnimations().length);
                }}
              }});
            }}"""
        )
        with scoring(server, per_second=25, seconds=4) as finish:
            finish()
        last = server.board()["version"]
        page.wait_for_function("(version) => painted.at(-1)?.[1] === version", arg=last)
        times = [at for at, _ in page.evaluate("painted")]
        assert len(times) >= 3
        assert min(after - before for before, after in pairwise(times)) >= 950
        assert page.evaluate("mostMoving") == 1
        # Once it is calm again, a change is painted as soon as it has come.
        page.evaluate(
            """async () => {
              const { watch } = await import("/static/scoreboard.js");
              window.came = {};
              watch(location.href, { onBoard: ({ version }) => (came[version] = performance.now()) });
            }"""
        )
        page.evaluate("new Promise((done) => setTimeout(done, 1_100))")
        server.score("user-0", "prize")
        page.wait_for_function("(version) => painted.at(-1)?.[1] === version", arg=last + 1)
        assert page.evaluate(f"painted.at(-1)[0] - came[{last + 1}]") < 500


SHIFTS = """
window.shifted = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) shifted += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""


@pytest.mark.parametrize("players", [0, 1, 3, 12])
def test_nothing_moves_while_the_page_loads_on_a_phone(
    chromium: Browser, tmp_path: Path, players: int
) -> None:
    with (
        serving(tmp_path, "demo", "--no-players") as (_, client),
        visiting(chromium, str(client.base_url), viewport=PHONE) as (context, _),
    ):
        for _ in range(players):
            guest = client.post("/demo/guests").json()
            client.post(
                "/api/scores",
                json={"actionId": "quest", "userId": guest["userId"]},
                headers={"Authorization": f"Bearer {guest['token']}"},
            )
        page = context.new_page()
        page.add_init_script(SHIFTS)
        page.goto(str(client.base_url))
        expect_live(page)
        expect(page.locator("tbody tr")).to_have_count(min(players, 10))
        expect(page.get_by_role("button", name="Take a name")).to_be_visible()
        page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 100)))")
        assert page.evaluate("shifted") < 0.05


@pytest.mark.parametrize("score", ["quest", "prize", "jackpot"])
def test_names_stay_readable_on_a_phone_with_large_text(
    browser: Browser, server: Running, score: str
) -> None:
    server.score("ada", score, name="Ada Lovelace")
    with visiting(browser, server.url, viewport=PHONE) as (context, _):
        page = context.new_page()
        page.goto(server.url)
        for size in ("100%", "200%"):
            page.evaluate("(size) => (document.documentElement.style.fontSize = size)", size)
            name = page.locator("tbody .name bdi")
            letters = name.evaluate("name => name.clientWidth / parseFloat(getComputedStyle(name).fontSize)")
            assert letters >= 4
            assert page.locator("tbody .score").evaluate(
                """cell => cell.scrollWidth <= cell.clientWidth
                  && cell.getBoundingClientRect().right <= document.documentElement.clientWidth"""
            )
            assert page.evaluate(
                "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
            )


@pytest.mark.parametrize("width", [360, 760])
@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_numbers_and_names_read_right_in_either_direction(
    browser: Browser, tmp_path: Path, direction: str, width: int
) -> None:
    with running(tmp_path, HeldClock(), admin_on_public_port=True) as server:
        server.score("arabic", name=ARABIC * 3)
        server.score("latin", name="Maximilian von Hohenzollern " * 5)
        assert admin(server, "adjust", userId="arabic", board="main", points=-55).status_code == 200
        with visiting(browser, server.url, viewport={"width": width, "height": 700}) as (context, _):
            page = context.new_page()
            page.goto(server.url)
            page.evaluate("(direction) => (document.documentElement.dir = direction)", direction)
            expect(page.locator("tbody tr")).to_have_count(2)
            # Where the first characters are painted, by a range over each.
            minus, five = page.locator("tbody .score").nth(1).evaluate(f"cell => ({EDGES})(cell, [0, 1])")
            assert minus["right"] <= five["left"] + 1
            names = page.locator("tbody .name bdi")
            cells = page.locator("tbody .name")
            for index in range(2):
                (first,) = names.nth(index).evaluate(f"name => ({EDGES})(name, [0])")
                cell = cells.nth(index).evaluate("cell => cell.getBoundingClientRect().toJSON()")
                assert cell["left"] <= first["left"]
                assert first["right"] <= cell["right"]


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


def test_words_keep_their_order_on_a_page_that_runs_from_right_to_left(
    browser: Browser, server: Running
) -> None:
    with visiting(browser, server.url) as (context, _):
        page = context.new_page()
        page.goto(server.url)
        page.evaluate("document.documentElement.dir = 'rtl'")
        expect_live(page)
        for place in (".state bdi", ".empty bdi"):
            text = page.locator(place)
            last = len(text.inner_text()) - 1
            first_character, last_character = text.evaluate(f"place => ({EDGES})(place, [0, {last}])")
            assert first_character["left"] < last_character["left"]


def test_a_visitor_of_a_private_board_is_told_that_it_is_private(browser: Browser, tmp_path: Path) -> None:
    with (
        running(tmp_path, HeldClock(), require_auth_to_read=True) as server,
        visiting(browser, server.url) as (context, witness),
    ):
        witness.expected = ("Failed to load resource",)
        page = context.new_page()
        page.goto(server.url)
        expect(page.locator(".state")).to_have_text("This board is private.")
        # No heads of columns, and no invitation, where there are no rows to see.
        expect(page.locator("table")).to_be_hidden()
        expect(page.locator(".empty")).to_be_hidden()


def test_while_a_board_is_refused_or_not_there_yet_no_empty_table_is_shown(
    browser: Browser, server: Running
) -> None:
    server.score("ada")
    with visiting(browser, server.url) as (context, witness):
        witness.expected = ("Failed to load resource",)
        page = context.new_page()
        page.goto(server.url)
        expect(page.locator("table")).to_be_visible()
        page.evaluate("document.querySelector('score-board').setAttribute('board', 'none')")
        expect(page.locator(".state")).to_have_text("There is no board “none”.")
        expect(page.locator("table")).to_be_hidden()


def test_the_live_mark_and_the_own_row_are_seen_in_forced_colours(
    browser: Browser, playwright: Playwright, server: Running
) -> None:
    server.score("ada")
    with (
        preferring(browser, playwright, "forced_colors", "active") as options,
        visiting(options.pop("browser"), server.url, **options) as (context, witness),
    ):
        witness.expected = PHOTOGRAPHED
        page = context.new_page()
        page.goto(server.url)
        expect_live(page)
        assert page.evaluate("matchMedia('(forced-colors: active)').matches")
        assert_marked(page)
        page.evaluate("document.querySelector('score-board').setAttribute('own', 'ada')")
        assert page.locator("tr.own").evaluate("row => getComputedStyle(row).outlineStyle") == "solid"


def test_the_live_mark_is_printed_and_the_panel_is_not(chromium: Browser, tmp_path: Path) -> None:
    with (
        serving(tmp_path, "demo", "--no-players") as (_, client),
        visiting(chromium, str(client.base_url), color_scheme="dark") as (context, witness),
    ):
        witness.expected = PHOTOGRAPHED
        page = context.new_page()
        page.goto(str(client.base_url))
        expect_live(page)
        page.emulate_media(media="print")
        assert_marked(page)
        assert (
            page.locator(".state").evaluate("state => getComputedStyle(state, '::before').borderTopWidth")
            != "0px"
        )
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
