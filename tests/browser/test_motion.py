"""How the board moves when it changes."""

from collections.abc import Callable
from itertools import product

from playwright.sync_api import Browser, Page, expect

from tests.browser.board_page import (
    ANIMATIONS_FINISH,
    PHONE,
    SHADOW,
    expect_live,
    expect_order,
    hold_clock,
    resize,
)
from tests.browser.browsers import visited, visiting
from tests.harness import Running
from tests.servers.process import until


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
