"""A server whose PostgreSQL and Redis are both unreachable: its answers, and what viewers of a board see."""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from scoreboard.domain.scopes import ADMINISTER
from tests.browser.browsers import chromium, visiting
from tests.clocks import HeldClock
from tests.e2e.processes import COMMAND, Process
from tests.e2e.proxy import Proxy, proxying
from tests.harness import Running, Watcher, running
from tests.servers.process import until


@dataclass(frozen=True)
class Partners:
    """PostgreSQL and Redis behind relays that a test can cut together."""

    database_url: str
    redis_url: str
    database: Proxy
    redis: Proxy

    def leave(self) -> None:
        for proxy in (self.database, self.redis):
            proxy.go_down()

    def come_back(self) -> None:
        for proxy in (self.database, self.redis):
            proxy.come_back()


@pytest.fixture
def partners(migrated_url: str, redis_url: str) -> Iterator[Partners]:
    with proxying(migrated_url, instead=b"") as database, proxying(redis_url, instead=b"") as redis:
        yield Partners(database.in_front_of(migrated_url), redis.in_front_of(redis_url), database, redis)


@pytest.fixture
def server(tmp_path: Path, partners: Partners, redis_prefix: str) -> Iterator[Running]:
    settings: dict[str, Any] = {"database_url": partners.database_url, "redis_url": partners.redis_url}
    settings |= {"redis_prefix": redis_prefix, "admin_on_public_port": True}
    with running(tmp_path, HeldClock(), **settings) as server:
        server.score("ada", name="Ada")
        yield server


def correct(server: Running, name: str, **body: Any) -> None:
    headers = {"Authorization": f"Bearer {server.token('root', scopes=(ADMINISTER,))}"}
    response = server.client.post(f"/api/admin/{name}", json={"reason": "a test", **body}, headers=headers)
    assert response.status_code == 200, response.text


CORRECTIONS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("ban", {"userId": "ada"}),
    ("erase", {"userId": "ada"}),
    ("void", {"board": "main", "version": 1}),
    ("adjust", {"userId": "ada", "board": "main", "points": -50}),
)


@pytest.mark.parametrize(("name", "body"), CORRECTIONS)
def test_a_page_from_before_a_correction_is_not_served_while_both_servers_are_unreachable(
    name: str, body: dict[str, Any], server: Running, partners: Partners
) -> None:
    pages = [{"limit": limit, "offset": offset} for limit in (1, 10, 100) for offset in (0, 1, 99)]
    server.score("bob")
    for page in pages:
        server.board(**page)
    known = server.board(board="side")
    correct(server, name, **body)
    partners.leave()
    for page in pages:
        answer = server.client.get("/api/leaderboard", params=page)
        if answer.status_code == 200:
            # This page was read again after the correction.
            assert answer.json()["version"] >= 3
        else:
            assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
    # Other boards have no correction.
    assert server.board(board="side").items() >= known.items()


def shown_now(server: Running) -> list[str] | None:
    """Return the users on the board, or None if no current board can be read."""
    board = server.client.get("/api/leaderboard").json()
    return (
        None
        if board.get("stale") or "entries" not in board
        else [entry["userId"] for entry in board["entries"]]
    )


def until_stale(watcher: Watcher) -> list[dict[str, Any]]:
    """Return the frames of a stream up to the first stale one, or to the end of the stream."""
    frames: list[dict[str, Any]] = []
    with suppress(StopIteration):
        while not frames or "stale" not in frames[-1]:
            frames.append(watcher.frame())
    return frames


def test_streams_send_no_board_from_before_a_correction_while_both_servers_are_unreachable(
    server: Running, partners: Partners
) -> None:
    server.score("bob")
    with server.watch() as watcher:
        watcher.frame()
        partners.redis.go_down()
        # From here on, only frames after the ban may be sent.
        correct(server, "ban", userId="ada")
        partners.database.go_down()
        frames = until_stale(watcher)
    with server.watch() as late:
        frames += until_stale(late)
    assert [frame for frame in frames if frame["version"] < 3] == []
    partners.come_back()
    until(lambda: shown_now(server) == ["bob"], "the board can be read")
    with server.watch() as watcher:
        assert [entry["userId"] for entry in watcher.frame()["entries"]] == ["bob"]


def degraded(server: Running) -> list[str]:
    """Return the dependencies that readiness reports as lost. The server stays ready all the same."""
    ready = server.client.get("/health/ready")
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")
    partners: list[str] = ready.json()["degraded"]
    return partners


def test_readiness_names_both_servers_and_the_last_known_board_is_marked_as_stale(
    server: Running, partners: Partners
) -> None:

    with server.watch() as watcher:
        known = watcher.frame()
        assert [entry["userId"] for entry in known["entries"]] == ["ada"]
        assert degraded(server) == []
        partners.leave()
        assert watcher.frame() == {**known, "stale": True}
        until(lambda: degraded(server) == ["ranking", "store"], "both are named")
        assert server.score("ada").status_code == 503
        partners.come_back()
        assert watcher.frame() == known
        until(lambda: degraded(server) == [], "nobody is named")


def test_watch_in_a_pipe_prints_that_the_board_is_stale_and_when_it_is_live_again(
    server: Running, partners: Partners, tmp_path: Path
) -> None:

    watcher = Process([*COMMAND, "watch", server.url], tmp_path, {})
    try:
        watcher.line_with(" v1 1 Ada 50")
        partners.leave()
        watcher.line_with("Z stale: the server cannot reach its data\n")
        partners.come_back()
        watcher.line_with("Z live\n")
        # The board is unchanged, so no further line is printed.
        assert watcher.output.count(" v1 ") == 1
    finally:
        watcher.clean_up()


def test_the_page_shows_that_its_board_is_stale_and_when_it_is_live_again(
    server: Running, partners: Partners
) -> None:

    with chromium() as browser, visiting(browser, server.url) as context:
        page = context.new_page()
        page.goto(server.url)
        state = page.locator(".state")
        expect(state).to_have_text(re.compile("^Live since "))
        partners.leave()
        expect(state).to_have_text(re.compile("^Not live since .*: the server cannot reach its data$"))
        expect(state).to_have_attribute("data-state", "stale")
        # The page keeps showing the last known board.
        expect(page.locator("tbody .name bdi")).to_have_text(["Ada"])
        partners.come_back()
        expect(state).to_have_text(re.compile("^Live since "))
