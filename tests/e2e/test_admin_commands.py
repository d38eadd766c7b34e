"""`scoreboard admin`, on the database of a running server."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from redis import Redis

from tests.clocks import clock_for_commands
from tests.e2e.processes import scoreboard, serving, token, variables
from tests.harness import Running, running
from tests.servers.process import until

Admin = Callable[..., str]


@pytest.fixture
def server(tmp_path: Path, deployment: dict[str, Any]) -> Iterator[Running]:
    with running(tmp_path, clock_for_commands(), **deployment) as server:
        yield server


@pytest.fixture
def admin(tmp_path: Path, deployment: dict[str, Any]) -> Admin:
    """Run a command on the server's database, and return its output."""

    def run(*arguments: str) -> str:
        done = scoreboard(tmp_path, "admin", *arguments, **variables(deployment))
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def shown(server: Running, field: str = "userId") -> list[Any]:
    return [entry[field] for entry in server.board()["entries"]]


def verifies(folder: Path, deployment: dict[str, Any]) -> bool:
    return scoreboard(folder, "verify", **variables(deployment)).returncode == 0


WHY = ("--reason", "a test", "--actor", "root")


def test_a_running_server_shows_the_corrections(
    tmp_path: Path, deployment: dict[str, Any], server: Running, admin: Admin
) -> None:
    for user_id in ("ada", "bob"):
        assert server.score(user_id).status_code == 201
    assert "board main: corrected, now at version 3" in admin("ban", "ada", *WHY)
    until(lambda: shown(server) == ["bob"], "the server shows it")
    assert "Nothing to do" in admin("ban", "ada", *WHY)
    assert admin("players", "ad").split("\t")[:3] == ["ada", "", "banned"]
    admin("unban", "ada", *WHY)
    until(lambda: shown(server) == ["ada", "bob"], "the server shows it")
    admin("void", "main", "1", *WHY)
    admin("adjust", "bob", "main", "-20", *WHY)
    until(lambda: shown(server, "score") == [30, 0], "the server shows it")
    admin("unvoid", "main", "1", *WHY)
    admin("erase", "bob", "--yes", *WHY)
    until(lambda: shown(server) == ["ada"], "the server shows it")
    kinds = [line.split("\t")[3] for line in admin("events").splitlines()]
    assert kinds == ["erase", "unvoid", "adjust", "void", "unban", "ban"]
    assert admin("history", "ada").splitlines()[-1].split("\t")[3:7] == ["award", "ada", "quest", "+50"]
    assert "machine" not in admin("suspects")
    assert verifies(tmp_path, deployment)


def test_a_running_server_shows_names_and_hiding(
    tmp_path: Path, deployment: dict[str, Any], server: Running, admin: Admin
) -> None:
    def names_become(*names: str) -> None:
        until(lambda: shown(server, "name") == list(names), f"the server shows {names}")

    assert server.score("ada", name="Rude Word").status_code == 201
    assert "board main: corrected, now at version 2" in admin("rename", "ada", "Ada Lovelace", *WHY)
    names_become("Ada Lovelace")
    assert server.score("ada", name="Rude Word").status_code == 201
    assert shown(server, "name") == ["Ada Lovelace"]
    assert "Nothing to do" in admin("rename", "ada", "Ada Lovelace", *WHY)
    admin("clear-name", "ada", *WHY)
    names_become("ada")
    admin("release-name", "ada", *WHY)
    assert server.score("ada", name="Rude Word").status_code == 201
    names_become("Rude Word")
    admin("hide", "ada", *WHY)
    names_become()
    assert server.score("ada", name="Rude Word").json()["rank"] is None
    assert admin("players", "ada").split("\t")[:3] == ["ada", "Rude Word", "hidden"]
    admin("show", "ada", *WHY)
    names_become("Rude Word")
    assert verifies(tmp_path, deployment)
    invisible = ("admin", "rename", "ada", "\u200b", "--reason", "a test")
    assert scoreboard(tmp_path, *invisible, **variables(deployment)).returncode == 2


@pytest.mark.parametrize("deployment", ["distributed"], indirect=True)
def test_an_erased_player_is_removed_from_redis(
    deployment: dict[str, Any], server: Running, admin: Admin
) -> None:
    url, prefix = deployment["redis_url"], deployment["redis_prefix"]
    assert server.score("ada-secret", name="Ada Secret").status_code == 201
    assert "ecret" in everything_in(url, prefix)
    admin("erase", "ada-secret", "--yes", *WHY)
    until(lambda: shown(server) == [], "the board is empty")
    assert "ecret" not in everything_in(url, prefix)


def everything_in(url: str, prefix: str) -> str:
    """Return all keys of one scoreboard in Redis, with their values."""
    with Redis.from_url(url, decode_responses=True) as client:
        keys = list(client.scan_iter(f"{prefix}:*"))
        read = {"hash": client.hgetall, "string": client.get, "zset": lambda key: client.zrange(key, 0, -1)}
        return str([read[client.type(key)](key) for key in keys])


def test_an_impossible_correction_ends_with_one_sentence(tmp_path: Path) -> None:
    scoreboard(tmp_path, "migrate")
    done = scoreboard(tmp_path, "admin", "ban", "nobody", "--reason", "a test")
    assert (done.returncode, done.stderr) == (2, "scoreboard: There is no player “nobody”.\n")


def test_administrators_have_a_port_of_their_own(tmp_path: Path) -> None:
    with serving(tmp_path, SCOREBOARD_ADMIN_PORT="0") as (process, client):
        (url,) = re.findall(r'"(http://[^"]+)/admin"', process.output)
        headers = {"Authorization": f"Bearer {token('root', None, 'scoreboard:admin')}"}
        assert httpx2.get(f"{url}/api/admin/events", headers=headers).json() == {"events": [], "next": None}
        for path in ("/api/admin/events", "/admin", "/admin/admin.js"):
            assert httpx2.get(f"{url}{path}", headers=headers).status_code == 200
            # The port decides: the header of the other port changes nothing.
            for host in (url.removeprefix("http://"), client.base_url.netloc.decode()):
                assert client.get(path, headers={**headers, "Host": host}).status_code == 404
