"""The commands: their output, and their refusals."""

import json
import re
import shlex
import signal
import socket
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from scoreboard import __version__
from scoreboard.cli import COMMANDS
from scoreboard.store.schema import newest_revision
from tests.clocks import clock_for_commands
from tests.e2e.processes import COMMAND, scoreboard, serving, variables
from tests.harness import running
from tests.limits import LIMIT_SECONDS
from tests.servers.redis import Redis


@pytest.mark.parametrize(
    "command",
    [
        (),
        *((name,) for name in COMMANDS),
        *(("admin", name) for name in ("players", "void", "suspects", "erase")),
    ],
    ids=" ".join,
)
def test_each_command_has_a_help_text(tmp_path: Path, command: tuple[str, ...]) -> None:
    done = scoreboard(tmp_path, *command, "--help")
    assert done.returncode == 0
    assert "Usage: " in done.stdout
    assert len(done.stdout.splitlines()) > 8


def test_the_program_prints_its_version(tmp_path: Path) -> None:
    done = subprocess.run([*COMMAND, "--version"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == f"scoreboard {__version__}\n"


def assert_refused(done: subprocess.CompletedProcess[str], *texts: str) -> None:
    """Assert one line with these texts, and exit code 2."""
    assert (done.returncode, done.stdout) == (2, ""), done
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stderr.startswith("scoreboard: ")
    for text in texts:
        assert text in done.stderr


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_a_port_in_use_is_refused(tmp_path: Path, command: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert_refused(scoreboard(tmp_path, command, "--port", port), port, "SCOREBOARD_PORT")


@pytest.mark.parametrize("host", ["10.9.8.7", "x" * 70 + ".example", "no.such.host.invalid"])
def test_a_host_of_another_machine_is_refused(tmp_path: Path, host: str) -> None:
    assert_refused(scoreboard(tmp_path, "serve", "--host", host), host, "SCOREBOARD_HOST")


@pytest.mark.parametrize("command", ["serve", "demo", "migrate", "verify"])
def test_a_file_that_is_not_a_database_is_refused(tmp_path: Path, command: str) -> None:
    (tmp_path / "scoreboard.db").write_text("my shopping list\n" * 50)
    assert_refused(scoreboard(tmp_path, command, SCOREBOARD_PORT="0"), "SCOREBOARD_DATABASE_URL")


def change(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / "scoreboard.db")) as connection, connection:
        connection.execute(statement)


def test_an_older_schema_is_refused_with_the_command_to_run(tmp_path: Path) -> None:
    scoreboard(tmp_path, "migrate")
    change(tmp_path, "DELETE FROM alembic_version")
    assert_refused(scoreboard(tmp_path, "serve", SCOREBOARD_PORT="0"), "scoreboard migrate")


@pytest.mark.parametrize("command", ["serve", "demo", "migrate", "verify"])
def test_a_newer_schema_is_refused(tmp_path: Path, command: str) -> None:
    scoreboard(tmp_path, "migrate")
    change(tmp_path, "UPDATE alembic_version SET version_num = '9999'")
    assert_refused(scoreboard(tmp_path, command, SCOREBOARD_PORT="0"), "install a newer scoreboard")


@pytest.mark.parametrize("command", [("serve",), ("demo",), ("token", "ada")], ids=" ".join)
def test_a_secret_that_other_users_can_read_is_refused(tmp_path: Path, command: tuple[str, ...]) -> None:
    secret = tmp_path / "scoreboard.db.secret"
    secret.write_text("x" * 64)
    secret.chmod(0o644)
    done = scoreboard(tmp_path, *command, SCOREBOARD_PORT="0", SCOREBOARD_JWT_SECRET="")
    assert_refused(done, "chmod 600", str(secret.name))


def test_invalid_settings_and_catalogs_are_refused_by_name(tmp_path: Path) -> None:
    assert_refused(scoreboard(tmp_path, "serve", SCOREBOARD_RATE_LIMIT="often"), "SCOREBOARD_RATE_LIMIT")
    (tmp_path / "bad.toml").write_text(
        '[boards.main]\ntitle = "Main"\n[actions.a]\nboard = "main"\ntitle = "A"\n'
    )
    done = scoreboard(tmp_path, "serve", SCOREBOARD_CATALOG="bad.toml", SCOREBOARD_PORT="0")
    assert_refused(done, "bad.toml: actions.a.points")


def test_a_printed_token_is_valid(tmp_path: Path) -> None:
    with running(tmp_path, clock_for_commands()) as server:
        token = scoreboard(tmp_path, "token", "ada", "--name", "Ada").stdout.strip()
        assert server.score("ada", token=token).status_code == 201
        assert server.score("bob", token=token).status_code == 403
        trusted = scoreboard(tmp_path, "token", "game", "--scope", "scores:write:any").stdout.strip()
        assert server.score("bob", token=trusted).status_code == 201


@pytest.mark.parametrize(
    "arguments", [("",), ("a\nb",), ("ada", "--expires-in", "soon"), ("ada", "--expires-in", "0s")]
)
def test_invalid_arguments_of_a_token_are_refused(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = scoreboard(tmp_path, "token", *arguments)
    assert (done.returncode, done.stdout) == (2, "")


def test_verify_finds_a_changed_score_while_a_server_runs(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        for _ in range(3):
            server.score("ada")
        done = scoreboard(tmp_path, "verify")
        assert done.returncode == 0
        assert "board main: 3 events, 1 players, whole" in done.stdout
    change(tmp_path, "UPDATE standings SET score = 1000")
    done = scoreboard(tmp_path, "verify")
    assert done.returncode == 1
    assert "board main: 3 events, 1 players, differs:" in done.stdout
    assert "standing 1000 reached" in done.stdout


def test_the_demo_prints_how_to_try_it_and_continues_with_its_scores(tmp_path: Path) -> None:
    with serving(tmp_path, "demo", SCOREBOARD_CATALOG="", SCOREBOARD_JWT_SECRET="") as (process, client):
        command = process.line_with("curl ")
        assert "\x1b" not in process.output
        answer = subprocess.run(
            [*shlex.split(command), "--silent"],
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
            check=True,
        )
        assert json.loads(answer.stdout)["points"] == 50
        with client.stream("GET", "/api/leaderboard/stream") as stream:
            ids = (line for line in stream.iter_lines() if line.startswith("id: "))
            first, second = next(ids), next(ids)
            assert first != second
        for path in ("/", "/docs"):
            assert client.get(path).status_code == 200
        assert process.end(signal.SIGINT) == 0
        kept = re.search("The scores are in (.*)[.]", process.output)
        assert kept is not None
    with closing(sqlite3.connect(tmp_path / "scoreboard.db")) as connection:
        (version,) = connection.execute("SELECT version FROM boards WHERE id = 'main'").fetchone()
    assert version > 1
    with serving(tmp_path, "demo", SCOREBOARD_CATALOG="", SCOREBOARD_JWT_SECRET="") as (_, client):
        assert client.get("/api/leaderboard").json()["version"] >= version


@pytest.fixture
def distributed(database_url: str, redis_url: str, redis_prefix: str) -> dict[str, Any]:
    return {"database_url": database_url, "redis_url": redis_url, "redis_prefix": redis_prefix}


def test_an_empty_postgresql_database_is_refused(tmp_path: Path, distributed: dict[str, Any]) -> None:
    for command in ("serve", "verify", "rebuild"):
        done = scoreboard(tmp_path, command, **variables(distributed))
        assert_refused(done, "is empty", "scoreboard migrate")


def test_several_instances_from_migrate_to_verify(
    tmp_path: Path, distributed: dict[str, Any], redis_server: Redis, redis_prefix: str
) -> None:
    settings = variables(distributed)
    assert f"now has schema {newest_revision()} " in scoreboard(tmp_path, "migrate", **settings).stdout
    with serving(tmp_path, **settings) as (_, one), serving(tmp_path, **settings) as (_, other):
        assert one.score("ada").json()["score"] == 50
        assert other.score("ada").json()["score"] == 100
        for client in (one, other):
            assert client.get("/api/leaderboard").json()["entries"][0]["score"] == 100
        redis_server.remove(redis_prefix)
        rebuilt = scoreboard(tmp_path, "rebuild", **settings)
        assert rebuilt.stdout.splitlines()[0] == "board main: 1 players ranked"
        verified = scoreboard(tmp_path, "verify", **settings)
        assert verified.returncode == 0
        assert verified.stdout.splitlines()[0] == "board main: 2 events, 1 players, whole"
        assert one.get("/api/leaderboard").json()["players"] == 1


def test_verify_finds_a_wrong_ranking_and_rebuild_repairs_it(
    tmp_path: Path, distributed: dict[str, Any], redis_server: Redis, redis_prefix: str
) -> None:
    settings = variables(distributed)
    scoreboard(tmp_path, "migrate", **settings)
    with running(tmp_path, **distributed) as server:
        server.score("ada")
        redis_server.execute("ZINCRBY", f"{redis_prefix}:{{main}}:order", -1_000, f"{1:016d}:1")
        verified = scoreboard(tmp_path, "verify", **settings)
        assert verified.returncode == 1
        assert "ada with 1050, but should be ada with 50" in verified.stdout
        scoreboard(tmp_path, "rebuild", "--board", "main", **settings)
        assert scoreboard(tmp_path, "verify", **settings).returncode == 0
