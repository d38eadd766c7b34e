"""The page in WebKit, the engine of Safari."""

import socket
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.clocks import HeldClock
from tests.harness import Running, running
from tests.servers.process import until
from tests.webkit.browser import WebKit, webkit

LOOPBACK = "127.0.0.1"


def own_addresses() -> list[str]:
    """Return the address by which this machine reaches others, if it has one. Nothing is sent."""
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


def digits(browser: WebKit) -> object:
    """Return the scores without separators."""
    return browser.run(f"{ROOT} return root.querySelector('tbody').textContent.replace(/[^0-9]+/g, '');")


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


def test_nothing_is_wider_than_the_window(browser: WebKit, server: Running) -> None:
    server.score("ada", "jackpot", name="W" * 128)
    server.score("bob", "prize", name="لاعب" * 30)
    browser.go(server.url)
    expect_order(browser, "W" * 128, "لاعب" * 30)
    for width, direction in product((400, 800), ("ltr", "rtl")):
        browser.resize(width, 800)
        browser.run("document.documentElement.dir = given[0];", direction)
        score = server.score("bob", "prize").json()["score"]
        until(lambda score=score: str(score) in str(digits(browser)), "the new score is shown")  # type: ignore[misc]
        overflow = browser.run(
            f"""{ROOT}
            const frame = root.querySelector(".frame");
            return [frame.scrollWidth - frame.clientWidth, document.documentElement.scrollWidth >
            innerWidth];"""
        )
        assert overflow == [0, False], (width, direction)
