"""Browsers, servers and sites for the tests in real browsers.

Playwright keeps an event loop in the main thread while it runs, so browsers are shared within this package:
tests of other packages may be coroutines.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, expect, sync_playwright

from tests.browser.browsers import launch_chromium, launch_firefox
from tests.browser.sites import Site, site
from tests.clocks import HeldClock
from tests.harness import Running, running
from tests.limits import LIMIT_SECONDS


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        expect.set_options(timeout=LIMIT_SECONDS * 1_000)
        yield playwright


@pytest.fixture(scope="package")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    with launch_chromium(playwright) as browser:
        yield browser


@pytest.fixture(scope="package")
def firefox(playwright: Playwright) -> Iterator[Browser]:
    with launch_firefox(playwright) as browser:
        yield browser


@pytest.fixture(scope="package")
def strict_firefox(playwright: Playwright) -> Iterator[Browser]:
    """Launch a Firefox that blocks cookies and replaces the colours of pages."""
    preferences = {"network.cookie.cookieBehavior": 2, "browser.display.document_color_use": 2}
    with launch_firefox(playwright, preferences) as browser:
        yield browser


@pytest.fixture(scope="package", params=["chromium", "firefox"])
def browser(request: pytest.FixtureRequest) -> Browser:
    """Run a test in both browsers: its result depends on the engine. All other tests run in Chromium."""
    browser: Browser = request.getfixturevalue(request.param)
    return browser


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path, HeldClock(), rate_limit="1000000/minute") as server:
        yield server


GOLF = """
[boards.golf]
title = "Golf"
sort = "ascending"
ties = "shared"
[actions.par]
board = "golf"
title = "Par"
points = 4
[actions.bogey]
board = "golf"
title = "Bogey"
points = 5
"""


@pytest.fixture
def golf(tmp_path: Path) -> Iterator[Running]:
    """Run a server whose board has shared ranks."""
    (tmp_path / "catalog.toml").write_text(GOLF)
    with running(tmp_path, HeldClock(), rate_limit="1000000/minute") as server:
        yield server


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Running]:
    """Run a server in demo mode, without simulated players."""
    with running(tmp_path, HeldClock(), is_demo=True) as server:
        yield server


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Site]:
    """Run a site of another origin than the server."""
    with site(tmp_path / "elsewhere") as another:
        yield another
