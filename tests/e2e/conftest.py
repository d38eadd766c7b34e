"""Browsers for the end-to-end tests."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from tests.e2e.browser import launch_chromium, launch_firefox


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """For tests of what only Chromium can be told to do, and of what depends on no browser."""
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
