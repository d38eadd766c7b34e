"""The page in WebKit, where Safari's users see it."""

import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.clocks import HeldClock
from tests.harness import Running, running
from tests.servers.process import until
from tests.webkit.browser import WebKit, webkit

LOOPBACK = "127.0.0.1"


def own_addresses() -> list[str]:
    """The address by which this machine reaches others, if it has one. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return []
        return [probe.getsockname()[0]]


OWN_ADDRESSES = own_addresses()

ROOT = "const root = document.querySelector('score-board').shadowRoot;"


@pytest.fixture(scope="module")
def browser() -> Iterator[WebKit]:
    with webkit() as browser:
        yield browser


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path, HeldClock(), rate_limit="1000000/minute", host="0.0.0.0") as server:
        yield server


def names(browser: WebKit) -> object:
    return browser.run(
        f"{ROOT} return [...root.querySelectorAll('tbody .name bdi')].map((name) => name.textContent);"
    )


def state(browser: WebKit) -> object:
    return browser.run(f"{ROOT} return root.querySelector('.state').dataset.state;")


def expect_order(browser: WebKit, *expected: str) -> None:
    until(lambda: names(browser) == list(expected) and state(browser) == "live", f"{expected} are live")


def test_the_board_is_live(browser: WebKit, server: Running) -> None:
    server.score("ada", name="Ada")
    browser.go(server.url)
    expect_order(browser, "Ada")
    server.score("bob", "duel", name="Bob")
    expect_order(browser, "Ada", "Bob")
    server.score("bob", "duel", name="Bob")
    expect_order(browser, "Bob", "Ada")


@pytest.mark.parametrize("host", [LOOPBACK, *OWN_ADDRESSES])
def test_eight_tabs_show_the_board_and_submit(browser: WebKit, server: Running, host: str) -> None:
    """By plain HTTP, the loopback address is a secure origin and has Web Locks. No other is one."""
    url = f"http://{host}:{urlsplit(server.url).port}"
    first = browser.tabs()[0]
    opened = [browser.open_tab() for _ in range(7)]
    try:
        for handle in (first, *opened):
            browser.switch(handle)
            browser.go(url)
        assert browser.run("return 'locks' in navigator;") is (host == LOOPBACK)
        server.score("ada")
        for handle in (first, *opened):
            browser.switch(handle)
            expect_order(browser, "ada")
        receipt = browser.run(
            """const { submit } = await import("/static/scoreboard.js");
            return await submit("quest", { token: given[0] });""",
            server.token("bob"),
        )
        assert receipt["score"] == 50
    finally:
        for handle in opened:
            browser.switch(handle)
            browser.ask("DELETE", "/window")
        browser.switch(first)


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
@pytest.mark.parametrize("width", [400, 800])
def test_nothing_is_wider_than_the_window(
    browser: WebKit, server: Running, width: int, direction: str
) -> None:
    browser.resize(width, 800)
    server.score("ada", "prize", name="W" * 128)
    server.score("bob", name="لاعب" * 30)
    browser.go(server.url)
    expect_order(browser, "W" * 128, "لاعب" * 30)
    browser.run("document.documentElement.dir = given[0];", direction)
    server.score("cyd", "jackpot")
    expect_order(browser, "cyd", "W" * 128, "لاعب" * 30)
    overflow = browser.run(
        f"""{ROOT}
        const frame = root.querySelector(".frame");
        return [frame.scrollWidth - frame.clientWidth, document.documentElement.scrollWidth > innerWidth];"""
    )
    assert overflow == [0, False]
