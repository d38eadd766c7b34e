"""Below a path of a host, behind a real nginx that strips the path or passes it on."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest
from playwright.sync_api import Browser, Route, expect

from scoreboard.domain.scopes import ADMINISTER
from tests.browser.board_page import expect_live
from tests.browser.browsers import visited, visiting
from tests.clocks import clock_for_commands
from tests.e2e.nginx import Nginx
from tests.e2e.processes import COMMAND, Process, scoreboard
from tests.harness import Running, running

PATH: Final = "/some/scores"


@dataclass(frozen=True)
class Proxying:
    """How the path gets to the server."""

    is_stripped: bool
    is_set: bool

    @property
    def root_path(self) -> str:
        return PATH if self.is_set else ""


@dataclass(frozen=True)
class Served:
    """A server in demo mode, and its address behind nginx."""

    server: Running
    proxying: Proxying
    url: str

    @property
    def link(self) -> str:
        """The address with a slash at the end in some cases, and without it in others."""
        return f"{self.url}/" if self.proxying.is_set else self.url


PROXYING: Final = {
    "stripped": Proxying(is_stripped=True, is_set=False),
    "stripped, and set": Proxying(is_stripped=True, is_set=True),
    "passed on": Proxying(is_stripped=False, is_set=True),
}


@pytest.fixture(scope="module", params=list(PROXYING.values()), ids=list(PROXYING))
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    proxying: Proxying = request.param
    folder = tmp_path_factory.mktemp("root-path")
    settings: dict[str, Any] = {"admin_on_public_port": True, "rate_limit": "1000/minute"}
    with (
        running(
            folder, clock_for_commands(), is_demo=True, root_path=proxying.root_path, **settings
        ) as server,
        Nginx([server.url], location=f"{PATH}/", is_stripped=proxying.is_stripped) as nginx,
    ):
        yield Served(server, proxying, f"{nginx.url}{PATH}")


def test_the_page_is_live_and_a_visitor_plays(chromium: Browser, served: Served) -> None:
    # Without the slash, the address leads to the page, too.
    with visited(chromium, served.url) as page:
        assert page.url == f"{served.url}/"
        expect_live(page)
        served.server.score("ada", name="Ada")
        expect(page.locator("tbody .name bdi", has_text="Ada")).to_be_visible()
        page.get_by_role("button", name="Take a name").click()
        page.get_by_role("button", name="Quest +50").click()
        expect(page.locator("#outcome")).to_contain_text("+50 points: you have 50 and rank")


def test_administrators_see_the_players(chromium: Browser, served: Served) -> None:
    served.server.score("bob", name="Bob")
    with visited(chromium, f"{served.url}/admin") as page:
        page.get_by_label("Token").fill(served.server.token("root", scopes=(ADMINISTER,)))
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator("#list").get_by_role("button", name="Bob")).to_be_visible()


SUBMIT: Final = """
async ([module, token, url]) => (await import(module)).submit("quest", { token, ...(url && { url }) })
"""


def test_the_api_can_be_tried_out_and_a_script_submits(chromium: Browser, served: Served) -> None:
    with visited(chromium, f"{served.url}/docs") as page:
        read = page.locator("#operations-leaderboard-readLeaderboard")
        read.locator(".opblock-summary-control").click()
        read.get_by_role("button", name="Try it out").click()
        read.get_by_role("button", name="Execute").click()
        expect(read.locator(".live-responses-table tbody .response-col_status")).to_contain_text("200")
        servers = ["", served.url, f"{served.url}/", PATH, f"{PATH}/"]
        for number, server in enumerate(servers, start=1):
            token = served.server.token("cyd")
            receipt = page.evaluate(SUBMIT, [f"{PATH}/static/scoreboard.js", token, server])
            assert receipt["score"] == 50 * number


def test_the_element_finds_its_server(chromium: Browser, served: Served) -> None:
    served.server.score("element")
    sources = ["", f' src="{PATH}"', f' src="{PATH}/"', f' src="{served.url}"']

    def answer(route: Route) -> None:
        source = sources[int(route.request.url.rpartition("/")[2])]
        html = (
            f'<!doctype html><link rel="icon" href="data:,"><score-board{source}></score-board>'
            f'<script type="module" src="{PATH}/static/score-board.js"></script>'
        )
        route.fulfill(body=html, content_type="text/html")

    with visiting(chromium, served.url) as context:
        context.route("**/play/*", answer)
        page = context.new_page()
        for number in range(len(sources)):
            page.goto(f"{served.url.removesuffix(PATH)}/play/{number}")
            expect(page.locator("tbody .name bdi", has_text="element")).to_be_visible()


CLIENTS_OF_THE_COMMAND_LINE: Final = pytest.mark.parametrize(
    # A client cannot tell whether the proxy strips the path. Their links differ in the slash at the end.
    "served",
    [PROXYING["stripped, and set"], PROXYING["stripped"]],
    ids=["with a slash", "without one"],
    indirect=True,
)


@CLIENTS_OF_THE_COMMAND_LINE
def test_the_board_is_watched_in_a_terminal(served: Served, tmp_path: Path) -> None:
    served.server.score("dan", "prize")
    watcher = Process([*COMMAND, "watch", served.link], tmp_path, {})
    try:
        assert " 1 dan 123456789" in watcher.line_with(" v")
    finally:
        watcher.clean_up()


@CLIENTS_OF_THE_COMMAND_LINE
def test_the_server_is_measured(served: Served, tmp_path: Path) -> None:
    clock = served.server.clock
    clock.advance((clock_for_commands().us - clock.us) / 1_000_000)
    done = scoreboard(tmp_path, "bench", served.link, "--streams=2", "--rate=2", "--seconds=1", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["scores_accepted"] == 2


def test_the_document_names_the_path(served: Served) -> None:
    document = httpx2.get(f"{served.url}/openapi.json").json()
    assert document["servers"] == [{"url": served.proxying.root_path or "/"}]


def test_an_unknown_address_is_not_found(served: Served) -> None:
    answer = httpx2.get(f"{served.url}/nowhere")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_no_page_has_an_address_outside_the_path(served: Served) -> None:
    for page in ("/", "/admin", "/docs"):
        addresses = re.findall(r"(?:href|src|action)=[\"'](/[^\"']*)", httpx2.get(f"{served.url}{page}").text)
        assert [address for address in addresses if not address.startswith(f"{PATH}/")] == []
