"""Browsers for the end-to-end tests, and what they visit."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, expect, sync_playwright

from tests.clocks import HeldClock
from tests.e2e.browser import launch_chromium, launch_firefox
from tests.e2e.sites import Site, site
from tests.harness import Running, running
from tests.limits import LIMIT_SECONDS


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        expect.set_options(timeout=LIMIT_SECONDS * 1_000)
        yield playwright


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """Launch Chromium, for tests that need its features and for tests that do not depend on the browser."""
    with launch_chromium(playwright) as browser:
        yield browser


@pytest.fixture(scope="module")
def firefox(playwright: Playwright) -> Iterator[Browser]:
    with launch_firefox(playwright) as browser:
        yield browser


@pytest.fixture(scope="module", params=["chromium", "firefox"])
def browser(request: pytest.FixtureRequest) -> Browser:
    """A test that asks for it runs once in each browser."""
    browser: Browser = request.getfixturevalue(request.param)
    return browser


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path, HeldClock(), rate_limit="1000000/minute") as server:
        yield server


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Site]:
    """Another site, of another origin than the server."""
    with site(tmp_path / "elsewhere") as another:
        yield another
