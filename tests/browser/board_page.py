"""What tests expect of a page with a board."""

import re

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, FrameLocator, Page, expect

from tests.harness import Running
from tests.servers.process import until

LOST = ("Failed to load resource",)
"""The beginning of the error that Chromium logs for a refused or failed request."""

SHADOW = "document.querySelector('score-board').shadowRoot"

ANIMATIONS_FINISH = f"Promise.all({SHADOW}.getAnimations().map((each) => each.finished.catch(() => {{}})))"

PHONE = {"width": 360, "height": 740}

MARKUP = [
    "<script>window.ran = true</script>",
    '<img src="x" onerror="window.ran = true">',
    "</bdi></td></tr></table><svg onload='window.ran = true'>",
    "&lt;b&gt;&amp;",
]
"""Names that a page must show as text."""


def expect_order(page: Page | FrameLocator, *names: str) -> None:
    expect(page.locator("tbody .name bdi")).to_have_text(list(names))


def expect_state(page: Page, beginning: str) -> None:
    expect(page.locator(".state")).to_have_text(re.compile(f"^{beginning}"))


def expect_live(page: Page) -> None:
    expect_state(page, "Live since ")


def open_live(context: BrowserContext, url: str, count: int = 2) -> list[Page]:
    """Open pages, and wait until each is live. The first one has the stream."""
    pages = [context.new_page() for _ in range(count)]
    for page in pages:
        page.goto(url)
        expect_live(page)
    return pages


def expect_one_stream(server: Running) -> None:
    """Wait until all tabs share one stream. A tab that no longer leads ends its stream a moment later."""
    until(lambda: server.scoreboard.hub.streams == 1, "all tabs share one stream")


def hold_clock(page: Page) -> None:
    """Stop the page's clock, long after its last paint. (Its connection survives 40 s without a message.)"""
    page.clock.pause_at(page.evaluate("Date.now()") / 1_000 + 20)


def resize(page: Page, width: int, height: int = 700, direction: str = "ltr") -> None:
    page.set_viewport_size({"width": width, "height": height})
    page.evaluate("(direction) => (document.documentElement.dir = direction)", direction)


def set_attribute(page: Page, name: str, value: str) -> None:
    page.locator("score-board").evaluate("(board, given) => board.setAttribute(...given)", [name, value])


def assert_accessible(page: Page) -> None:
    """Check both colour schemes."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found = Axe().run(page)
        assert found.violations_count == 0, (scheme, found.response["violations"])
