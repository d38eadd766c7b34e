"""`scoreboard watch`, as somebody at a terminal and as a program in a pipe see it."""

import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fcntl import ioctl
from pathlib import Path

import httpx2
import pytest
from rich.cells import cell_len

from tests.e2e.processes import COMMAND, Process, environment, score, scoreboard, serving
from tests.limits import LIMIT_SECONDS

COLUMNS, LINES = 80, 24

IN_FRONT = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
"""Runs a command that has the terminal, as a shell does: Ctrl-C reaches it."""


def token(folder: Path, user_id: str, name: str | None = None) -> str:
    named = () if name is None else ("--name", name)
    return scoreboard(folder, "token", user_id, *named).stdout.strip()


@contextmanager
def watching(folder: Path, url: object, *arguments: str) -> Iterator[Process]:
    process = Process([*COMMAND, "watch", str(url).rstrip("/"), *arguments], folder, {})
    try:
        yield process
    finally:
        process.clean_up()


def test_a_pipe_gets_a_line_for_each_row_that_changed(tmp_path: Path) -> None:
    with serving(tmp_path) as (_, client), watching(tmp_path, client.base_url) as watcher:
        watcher.line_with("Z live")
        ada, bob = token(tmp_path, "ada", "Ada [b]x[/b] :smile:"), token(tmp_path, "bob")
        time_of_day = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
        score(client, ada, "ada")
        assert re.fullmatch(
            f"{time_of_day} v1 1 Ada \\[b\\]x\\[/b\\] :smile: 50 new\n", watcher.line_with(" v1 ")
        )
        score(client, bob, "bob", "duel")
        assert re.fullmatch(f"{time_of_day} v2 2 bob 30 new\n", watcher.line_with(" v2 "))
        score(client, bob, "bob", "duel")
        assert re.fullmatch(f"{time_of_day} v3 1 bob 60 \\(\\+30\\) ▲1\n", watcher.line_with(" v3 "))
        assert re.fullmatch(f"{time_of_day} v3 2 Ada .* 50 ▼1\n", watcher.line_with(" v3 "))
        assert watcher.end(signal.SIGINT) == 0
        assert len(watcher.output.splitlines()) == 5


def test_another_board_can_be_watched(tmp_path: Path) -> None:
    with serving(tmp_path) as (_, client):
        score(client, token(tmp_path, "ada"), "ada", "visit")
        with watching(tmp_path, client.base_url, "--board", "side") as watcher:
            assert " v1 1 ada 5\n" in watcher.line_with(" v1 ")


def test_an_unknown_board_is_told(tmp_path: Path) -> None:
    with serving(tmp_path) as (_, client):
        done = scoreboard(tmp_path, "watch", str(client.base_url), "--board", "nope")
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == "scoreboard: There is no board “nope”.\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("localhost:8000",),
        ("ftp://localhost",),
        ("http://",),
        ("http://a b",),
        ("http://localhost:99999",),
        ("http://me:secret@localhost",),
        (f"http://{'x' * 70}.example",),
        ("http://localhost/?board=side",),
        ("http://localhost", "--board", ""),
        ("http://localhost", "--board", "a\nb"),
    ],
)
def test_an_address_that_makes_no_sense_is_told(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = scoreboard(tmp_path, "watch", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("scoreboard: ")
    assert len(done.stderr.splitlines()) == 1


def test_it_goes_on_where_a_server_was_killed_and_came_back(tmp_path: Path) -> None:
    with serving(tmp_path) as (server, client), watching(tmp_path, client.base_url) as watcher:
        watcher.line_with("Z live")
        ada = token(tmp_path, "ada")
        score(client, ada, "ada")
        watcher.line_with(" v1 1 ada 50 new")
        server.end(signal.SIGKILL)
        watcher.line_with("Z reconnecting: ")
        again = Process([*COMMAND, "serve"], tmp_path, {"SCOREBOARD_PORT": str(client.base_url.port)})
        try:
            again.line_with(str(client.base_url).rstrip("/"))
            with httpx2.Client(base_url=client.base_url) as other:
                watcher.line_with("Z live")
                score(other, ada, "ada")
            watcher.line_with(" v2 1 ada 100 (+50)")
        finally:
            again.clean_up()
        assert watcher.output.count(" v1 ") == 1


def test_it_may_be_started_before_its_server_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with watching(tmp_path, f"http://127.0.0.1:{port}") as watcher:
        watcher.line_with("Z connecting: Connection refused")
        assert watcher.end(signal.SIGINT) == 0
        assert len(watcher.output.splitlines()) == 1


def test_a_pipe_that_nobody_reads_any_more_ends_it(tmp_path: Path) -> None:
    with serving(tmp_path) as (_, client):
        score(client, token(tmp_path, "ada"), "ada")
        with subprocess.Popen(
            [*COMMAND, "watch", str(client.base_url)],
            cwd=tmp_path,
            env=environment(tmp_path),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as watcher:
            assert watcher.stdout is not None
            assert watcher.stderr is not None
            assert " v1 1 ada 50\n" in watcher.stdout.readline()
            watcher.stdout.close()
            assert watcher.wait(LIMIT_SECONDS) == 0
            assert re.fullmatch(r"\S+Z live\n", watcher.stderr.read())


class Terminal:
    """A command at a terminal."""

    def __init__(self, folder: Path, *arguments: str, columns: int = COLUMNS) -> None:
        self._ours, theirs = pty.openpty()
        ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, columns, 0, 0))
        self.settings = termios.tcgetattr(theirs)
        self.theirs = theirs
        self.process = subprocess.Popen(
            [sys.executable, "-c", IN_FRONT, *COMMAND, *arguments],
            cwd=folder,
            env={**environment(folder), "TERM": "xterm-256color"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        self.output = ""
        self._rest = b""

    def until(self, is_there: Callable[[str], object]) -> str:
        deadline = time.monotonic() + LIMIT_SECONDS
        while not is_there(self.output):
            ready, _, _ = select.select([self._ours], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, self.output
            self._rest += os.read(self._ours, 65_536)
            text = self._rest.decode(errors="ignore")
            self._rest = self._rest[len(text.encode()) :]
            self.output += text
        return self.output

    def press(self, key: str) -> None:
        os.write(self._ours, key.encode())

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(LIMIT_SECONDS)
        os.close(self.theirs)
        os.close(self._ours)


def plain_lines(output: str) -> list[str]:
    """What is drawn, without the sequences that colour it and move the cursor, and without the terminal's echo."""
    return [
        re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line)
        for line in re.split(r"\r?\n|\^C|\x1b\[H|\x1b\[\?1049[hl]", output)
    ]


def test_a_terminal_shows_a_table_that_fits_and_is_left_as_it_was(tmp_path: Path) -> None:
    with serving(tmp_path) as (server, client):
        names = {
            "long": "x" * 128,
            "wide": "🏆🦊" * 40,
            "rtl": "שלום " * 25,
            "markup": "[red]Ada[/red] :smile:",
        }
        tokens = {user_id: token(tmp_path, user_id, name) for user_id, name in names.items()}
        for user_id in names:
            score(client, tokens[user_id], user_id)
        terminal = Terminal(tmp_path, "watch", str(client.base_url))
        try:
            terminal.until(lambda output: "Live since" in output and "[red]Ada[/red] :smile:" in output)
            score(client, tokens["markup"], "markup")
            terminal.until(lambda output: "+50" in output and "▲3" in output and "▼1" in output)
            server.end(signal.SIGKILL)
            terminal.until(lambda output: "Reconnecting since" in output)
            terminal.press("\x03")
            # The last board stays, below the prompt that started it.
            terminal.until(
                lambda output: "version 5" in output.partition("\x1b[?1049l")[2].partition("+50")[0]
            )
            assert terminal.process.wait(LIMIT_SECONDS) == 0
            assert termios.tcgetattr(terminal.theirs) == terminal.settings
        finally:
            terminal.close()
        lines = plain_lines(terminal.output)
        assert max(map(cell_len, lines)) <= COLUMNS
        assert any(re.search("x{20,}…", line) for line in lines)
        assert any("main · 4 players · version 4" in line for line in lines)
        assert "Traceback" not in terminal.output
        assert terminal.output.count("\x1b[?1049h") == terminal.output.count("\x1b[?1049l") == 1
        assert terminal.output.rindex("\x1b[?25h") > terminal.output.rindex("\x1b[?25l")


def test_a_narrow_terminal_shows_a_whole_score(tmp_path: Path) -> None:
    with serving(tmp_path) as (_, client):
        score(client, token(tmp_path, "ada", "Ada Lovelace, Countess of Lovelace"), "ada", "jackpot")
        terminal = Terminal(tmp_path, "watch", str(client.base_url), columns=40)
        try:
            terminal.until(lambda output: "9,007,199,254,740,991" in output and "Ada Lov" in output)
        finally:
            terminal.close()
        lines = plain_lines(terminal.output)
        assert max(map(cell_len, lines)) <= 40
        assert any(re.search(r"Ada Lov\w*… +9,007,199,254,740,991$", line.rstrip()) for line in lines)


def test_a_narrow_terminal_shows_whole_figures_to_administrators(tmp_path: Path) -> None:
    with serving(tmp_path) as (_, client):
        score(client, token(tmp_path, "ada"), "ada", "jackpot")
        terminal = Terminal(tmp_path, "admin", "history", "ada", columns=40)
        try:
            terminal.until(lambda output: "score: 9,007,199,254,740,991" in output)
            assert terminal.process.wait(LIMIT_SECONDS) == 0
        finally:
            terminal.close()
        assert "…" not in terminal.output
