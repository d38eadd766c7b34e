"""`scoreboard admin`, on the database of a running server."""

import re
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest
from redis import Redis
from typer.testing import CliRunner

from scoreboard.cli import app
from tests.e2e.processes import environment, score, scoreboard, serving
from tests.servers.process import until

Settings = dict[str, str]


@pytest.fixture(params=["embedded", "distributed"])
def settings(request: pytest.FixtureRequest) -> Settings:
    if request.param == "embedded":
        return {}
    fixtures = {name: request.getfixturevalue(name) for name in ("redis_url", "redis_prefix")}
    fixtures["database_url"] = request.getfixturevalue("migrated_url")
    return {f"SCOREBOARD_{name.upper()}": value for name, value in fixtures.items()}


Admin = Callable[..., str]


@pytest.fixture
def admin(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Admin:
    """Run a command in the process of the test. The server has a process of its own."""
    monkeypatch.chdir(tmp_path)
    for name, value in environment(tmp_path, **settings).items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str) -> str:
        done = CliRunner().invoke(app, ["admin", *arguments])
        assert done.exit_code == 0, done.output
        return done.stdout

    return run


def scores(client: httpx2.Client) -> list[int]:
    return [entry["score"] for entry in client.get("/api/leaderboard").json()["entries"]]


def users(client: httpx2.Client) -> list[str]:
    return [entry["userId"] for entry in client.get("/api/leaderboard").json()["entries"]]


def test_a_running_server_shows_the_corrections(tmp_path: Path, settings: Settings, admin: Admin) -> None:
    why = ("--reason", "a test", "--actor", "root")
    with serving(tmp_path, **settings) as (_, client):
        for user_id in ("ada", "bob"):
            token = scoreboard(tmp_path, "token", user_id).stdout.strip()
            assert score(client, token, user_id).status_code == 201
        assert "board main: corrected, now at version 3" in admin("ban", "ada", *why)
        until(lambda: users(client) == ["bob"], "the server shows it")
        assert "Nothing to do" in admin("ban", "ada", *why)
        assert admin("players", "ad").split("\t")[:3] == ["ada", "", "banned"]
        admin("unban", "ada", *why)
        until(lambda: users(client) == ["ada", "bob"], "the server shows it")
        admin("void", "main", "1", *why)
        admin("adjust", "bob", "main", "-20", *why)
        until(lambda: scores(client) == [30, 0], "the server shows it")
        admin("unvoid", "main", "1", *why)
        admin("erase", "bob", "--yes", *why)
        until(lambda: users(client) == ["ada"], "the server shows it")
        kinds = [line.split("\t")[3] for line in admin("events").splitlines()]
        assert kinds == ["erase", "unvoid", "adjust", "void", "unban", "ban"]
        assert admin("history", "ada").splitlines()[-1].split("\t")[3:7] == ["award", "ada", "quest", "+50"]
        assert "machine" not in admin("suspects")
    assert scoreboard(tmp_path, "verify", **settings).returncode == 0


def test_a_running_server_shows_names_and_hiding(tmp_path: Path, settings: Settings, admin: Admin) -> None:
    why = ("--reason", "a test", "--actor", "root")

    def shown(client: httpx2.Client) -> list[str]:
        return [entry["name"] for entry in client.get("/api/leaderboard").json()["entries"]]

    with serving(tmp_path, **settings) as (_, client):
        token = scoreboard(tmp_path, "token", "ada", "--name", "Rude Word").stdout.strip()
        assert score(client, token, "ada").status_code == 201
        assert "board main: corrected, now at version 2" in admin("rename", "ada", "Ada Lovelace", *why)
        until(lambda: shown(client) == ["Ada Lovelace"], "the server shows the new name")
        assert score(client, token, "ada").status_code == 201
        assert shown(client) == ["Ada Lovelace"]
        assert "Nothing to do" in admin("rename", "ada", "Ada Lovelace", *why)
        admin("clear-name", "ada", *why)
        until(lambda: shown(client) == ["ada"], "the server shows the user id")
        admin("release-name", "ada", *why)
        assert score(client, token, "ada").status_code == 201
        until(lambda: shown(client) == ["Rude Word"], "the server shows the token's name")
        admin("hide", "ada", *why)
        until(lambda: shown(client) == [], "the server shows nobody")
        assert score(client, token, "ada").json()["rank"] is None
        found = admin("players", "ada").split("\t")
        assert found[:3] == ["ada", "Rude Word", "hidden"]
        admin("show", "ada", *why)
        until(lambda: shown(client) == ["Rude Word"], "the server shows the player")
    assert scoreboard(tmp_path, "verify", **settings).returncode == 0
    refused = scoreboard(tmp_path, "admin", "rename", "ada", "\u200b", "--reason", "a test", **settings)
    assert refused.returncode == 2


def test_an_erased_player_is_removed_from_redis(
    tmp_path: Path, migrated_url: str, redis_url: str, redis_prefix: str
) -> None:
    settings = {
        "SCOREBOARD_DATABASE_URL": migrated_url,
        "SCOREBOARD_REDIS_URL": redis_url,
        "SCOREBOARD_REDIS_PREFIX": redis_prefix,
    }
    with serving(tmp_path, **settings) as (_, client):
        token = scoreboard(tmp_path, "token", "ada-secret", "--name", "Ada Secret").stdout.strip()
        assert score(client, token, "ada-secret").status_code == 201
        assert "ecret" in everything_in(redis_url, redis_prefix)
        done = scoreboard(
            tmp_path, "admin", "erase", "ada-secret", "--yes", "--reason", "asked for it", **settings
        )
        assert done.returncode == 0, done.stderr
        until(lambda: users(client) == [], "the board is empty")
        assert "ecret" not in everything_in(redis_url, redis_prefix)


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
        token = scoreboard(tmp_path, "token", "root", "--scope", "scoreboard:admin").stdout.strip()
        headers = {"Authorization": f"Bearer {token}"}
        assert httpx2.get(f"{url}/api/admin/events", headers=headers).json() == {"events": [], "next": None}
        for path in ("/api/admin/events", "/admin", "/admin/admin.js"):
            assert httpx2.get(f"{url}{path}", headers=headers).status_code == 200
            # The port decides: the header of the other port changes nothing.
            for host in (url.removeprefix("http://"), client.base_url.netloc.decode()):
                assert client.get(path, headers={**headers, "Host": host}).status_code == 404
