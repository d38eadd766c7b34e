"""The root path: its rules, redirect, and proxies that strip it."""

import re
from pathlib import Path, PurePosixPath

import pytest

from scoreboard.settings.public_urls import root_path
from tests.clocks import HeldClock
from tests.harness import running

PAGES = ("/admin/admin.js", "/docs/assets/1/swagger-ui.css", "/static/scoreboard.js", "/demo/guests")


def test_a_root_path_must_not_equal_a_path_of_the_server(tmp_path: Path) -> None:
    with running(tmp_path, HeldClock(), admin_on_public_port=True) as server:
        addresses = [*server.client.get("/openapi.json").json()["paths"], *PAGES]
    # A parameter of a path may have any value.
    examples = [re.sub(r"\{.*?\}", "x", address) for address in addresses]
    above = {str(path) for example in examples for path in PurePosixPath(example).parents} - {"/"}
    assert {"/api", "/api/admin", "/docs", "/static"} <= above
    for path in above:
        with pytest.raises(ValueError, match="the server has addresses of its own there"):
            root_path(path)


def test_the_root_path_redirects_to_the_page_and_keeps_the_query(tmp_path: Path) -> None:
    with running(tmp_path, HeldClock(), root_path="/scores") as server:
        answer = server.client.get("/scores?board=side")
        assert (answer.status_code, answer.headers["Location"]) == (307, "/scores/?board=side")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert server.client.get("/scores/?board=side").text.count('board="side"') == 1
        told = [
            server.client.get(path).status_code
            for path in ("/scoresheet", "/scores/x", "/scores//api/leaderboard")
        ]
        assert told == [404, 404, 404]


def test_a_page_finds_its_files_if_the_proxy_strips_the_slash(tmp_path: Path) -> None:
    """Traefik sends `/` for `/scores`, where relative URLs would lead to the root of the host."""
    with running(tmp_path, HeldClock(), root_path="/scores") as server:
        addresses = re.findall(r'(?:href|src)="([^"]*)"', server.client.get("/").text)
        assert len(addresses) > 3
        files = [
            address for address in addresses if not address.startswith("?")
        ]  # others are links to boards
        assert all(address.startswith("/scores/static/") for address in files)
        assert [server.client.get(address).status_code for address in addresses] == [200] * len(addresses)
