"""Below a path of a host that serves other things too, behind a real nginx that strips the path or passes it on."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx2
import pytest
from playwright.sync_api import Browser, expect

from scoreboard.domain.scopes import ADMINISTER
from tests.clocks import HeldClock
from tests.e2e.browser import visiting
from tests.e2e.nginx import Nginx
from tests.e2e.processes import COMMAND, Process, scoreboard, serving
from tests.e2e.test_page import expect_live, expect_order
from tests.harness import Running, running

PATH: Final = "/some/scores"


@dataclass(frozen=True)
class Way:
    """How the path gets to the server."""

    is_stripped: bool
    is_set: bool

    @property
    def root_path(self) -> str:
        return PATH if self.is_set else ""


WAYS: Final = {
    "stripped": Way(is_stripped=True, is_set=False),
    "stripped, and set": Way(is_stripped=True, is_set=True),
    "passed on": Way(is_stripped=False, is_set=True),
}


@pytest.fixture(params=list(WAYS.values()), ids=list(WAYS))
def way(request: pytest.FixtureRequest) -> Way:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    # A worker of nginx may be another user.
    tmp_path.chmod(0o755)
    return tmp_path


@contextmanager
def below(folder: Path, way: Way, url: str) -> Iterator[str]:
    """The address of the server as clients know it."""
    with Nginx(folder, [url], location=f"{PATH}/", is_stripped=way.is_stripped) as nginx:
        yield f"{nginx.url}{PATH}"


@pytest.fixture
def served(folder: Path, way: Way) -> Iterator[tuple[Running, str]]:
    with (
        running(folder, HeldClock(), admin_on_public_port=True, root_path=way.root_path) as server,
        below(folder, way, server.url) as url,
    ):
        yield server, url


def test_the_page_is_live(browser: Browser, served: tuple[Running, str]) -> None:
    server, url = served
    with visiting(browser, url) as (context, _):
        page = context.new_page()
        page.goto(f"{url}/?board=main")
        expect_live(page)
        server.score("ada", name="Ada")
        expect_order(page, "Ada")


def test_the_address_without_a_slash_leads_to_the_page(
    chromium: Browser, served: tuple[Running, str]
) -> None:
    _, url = served
    with visiting(chromium, url) as (context, _):
        page = context.new_page()
        page.goto(url)
        assert page.url == f"{url}/"
        expect_live(page)


def test_a_visitor_of_the_demo_plays(chromium: Browser, folder: Path, way: Way) -> None:
    with (
        serving(folder, "demo", "--no-players", SCOREBOARD_ROOT_PATH=way.root_path) as (_, client),
        below(folder, way, str(client.base_url)) as url,
        visiting(chromium, url) as (context, _),
    ):
        page = context.new_page()
        page.goto(f"{url}/")
        page.get_by_role("button", name="Take a name").click()
        page.get_by_role("button", name="Quest +50").click()
        expect(page.locator("#outcome")).to_have_text("+50 points: you have 50 and rank 1.")


def test_administrators_see_the_players(chromium: Browser, served: tuple[Running, str]) -> None:
    server, url = served
    server.score("ada", name="Ada")
    with visiting(chromium, url) as (context, _):
        page = context.new_page()
        page.goto(f"{url}/admin")
        page.get_by_label("Token").fill(server.token("root", scopes=(ADMINISTER,)))
        page.get_by_role("button", name="Enter").click()
        expect(page.locator("#list").get_by_role("button", name="Ada")).to_be_visible()


def test_the_api_can_be_tried_out(chromium: Browser, served: tuple[Running, str]) -> None:
    _, url = served
    with visiting(chromium, url) as (context, _):
        page = context.new_page()
        page.goto(f"{url}/docs")
        read = page.locator("#operations-leaderboard-readLeaderboard")
        read.locator(".opblock-summary-control").click()
        read.get_by_role("button", name="Try it out").click()
        read.get_by_role("button", name="Execute").click()
        expect(read.locator(".live-responses-table tbody .response-col_status")).to_contain_text("200")


@pytest.mark.parametrize("source", ["", f' src="{PATH}"', f' src="{PATH}/"', ' src="{url}"'], ids=str)
def test_the_element_finds_its_server(chromium: Browser, served: tuple[Running, str], source: str) -> None:
    server, url = served
    server.score("ada")
    with visiting(chromium, url) as (context, _):
        page = context.new_page()
        html = (
            f'<!doctype html><link rel="icon" href="data:,"><score-board{source.format(url=url)}></score-board>'
            f'<script type="module" src="{PATH}/static/score-board.js"></script>'
        )
        page.route("**/play/level", lambda route: route.fulfill(body=html, content_type="text/html"))
        page.goto(f"{url.removesuffix(PATH)}/play/level")
        expect_order(page, "ada")


SUBMIT: Final = """
async ([module, token, url]) => (await import(module)).submit("quest", { token, ...(url && { url }) })
"""


@pytest.mark.parametrize("slash", ["", "/"], ids=["without a slash", "with a slash"])
def test_a_script_submits_to_the_server(chromium: Browser, served: tuple[Running, str], slash: str) -> None:
    server, url = served
    with visiting(chromium, url) as (context, _):
        page = context.new_page()
        page.goto(f"{url}/docs")
        module = f"{PATH}/static/scoreboard.js"
        for given in ("", f"{url}{slash}", f"{PATH}{slash}"):
            page.evaluate(SUBMIT, [module, server.token("ada"), given])
    assert server.board()["entries"][0]["score"] == 150


@pytest.mark.parametrize("slash", ["", "/"], ids=["without a slash", "with a slash"])
def test_the_board_is_watched_in_a_terminal(served: tuple[Running, str], folder: Path, slash: str) -> None:
    server, url = served
    server.score("ada")
    watcher = Process([*COMMAND, "watch", f"{url}{slash}"], folder, {})
    try:
        assert " v1 1 ada 50" in watcher.line_with(" v1 ")
    finally:
        watcher.clean_up()


def test_the_server_is_measured(folder: Path, way: Way) -> None:
    with (
        serving(folder, SCOREBOARD_ROOT_PATH=way.root_path) as (_, client),
        below(folder, way, str(client.base_url)) as url,
    ):
        for slash in ("", "/"):
            done = scoreboard(
                folder, "bench", f"{url}{slash}", "--streams=2", "--rate=2", "--seconds=1", "--json"
            )
            assert done.returncode == 0, done.stderr
            assert json.loads(done.stdout)["scores_accepted"] == 2


def test_the_document_names_the_path(served: tuple[Running, str], way: Way) -> None:
    _, url = served
    answer = httpx2.get(f"{url}/openapi.json")
    assert answer.json()["servers"] == [{"url": way.root_path or "/"}]


def test_an_unknown_address_is_not_found(served: tuple[Running, str]) -> None:
    _, url = served
    answer = httpx2.get(f"{url}/nowhere")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_no_page_has_an_address_outside_the_path(served: tuple[Running, str]) -> None:
    _, url = served
    for page in ("/", "/admin", "/docs"):
        addresses = re.findall(r"(?:href|src|action)=[\"'](/[^\"']*)", httpx2.get(f"{url}{page}").text)
        assert [address for address in addresses if not address.startswith(f"{PATH}/")] == []
