"""`scoreboard watch` at a terminal and in a pipe."""

import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fcntl import ioctl
from pathlib import Path

import pytest
from rich.cells import cell_len

from tests.clocks import HeldClock
from tests.e2e.processes import COMMAND, Process, environment, scoreboard, serving
from tests.harness import running
from tests.limits import LIMIT_SECONDS
from tests.servers.process import free_port

COLUMNS, LINES = 80, 24

IN_FRONT = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], "
    "sys.argv[1:])"
)
"""Run a command in the foreground of its terminal, as a shell does, so that Ctrl-C reaches it."""


@contextmanager
def watching(folder: Path, url: object, *arguments: str) -> Iterator[Process]:
    process = Process([*COMMAND, "watch", str(url).rstrip("/"), *arguments], folder, {})
    try:
        yield process
    finally:
        process.clean_up()


def test_a_pipe_gets_a_line_for_each_row_that_changed(tmp_path: Path) -> None:
    with running(tmp_path) as server, watching(tmp_path, server.url) as watcher:
        watcher.line_with("Z live")
        time_of_day = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
        server.score("ada", name="Ada [b]x[/b] :smile:")
        assert re.fullmatch(
            f"{time_of_day} v1 1 Ada \\[b\\]x\\[/b\\] :smile: 50 new\n", watcher.line_with(" v1 ")
        )
        server.score("bob", "duel")
        assert re.fullmatch(f"{time_of_day} v2 2 bob 30 new\n", watcher.line_with(" v2 "))
        server.score("bob", "duel")
        assert re.fullmatch(f"{time_of_day} v3 1 bob 60 \\(\\+30\\) ▲1\n", watcher.line_with(" v3 "))
        assert re.fullmatch(f"{time_of_day} v3 2 Ada .* 50 ▼1\n", watcher.line_with(" v3 "))
        assert watcher.end(signal.SIGINT) == 0
        assert len(watcher.output.splitlines()) == 5


def test_the_board_is_an_option(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        server.score("ada", "visit")
        with watching(tmp_path, server.url, "--board", "side") as watcher:
            assert " v1 1 ada 5\n" in watcher.line_with(" v1 ")
        done = scoreboard(tmp_path, "watch", server.url, "--board", "nope")
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == "scoreboard: There is no board “nope”.\n"


WEEKLY = """
[boards.club]
title = "Running club"
periods = ["week"]
decimals = 1
unit = "km"
[actions.quest]
board = "club"
title = "Run"
points = 52
"""


def test_a_week_is_followed_and_one_that_is_over_is_printed_once(tmp_path: Path) -> None:
    (tmp_path / "catalog.toml").write_text(WEEKLY)
    clock = HeldClock()
    with running(tmp_path, clock) as server:
        server.score("ada")
        server.score("bob")
        with watching(tmp_path, server.url, "--period", "week", "--limit", "1") as watcher:
            assert watcher.line_with("until ").endswith(" 2026-W47 until 2026-11-23T00:00:00Z\n")
            assert " v3 1 ada 5.2\n" in watcher.line_with(" v3 ")
            clock.advance(7 * 86_400)
            assert watcher.line_with("2026-W48").endswith(" 2026-W48 until 2026-11-30T00:00:00Z\n")
            server.score("bob")
            assert " v5 1 bob 5.2 new\n" in watcher.line_with(" v5 ")
            assert "bob 5.2" not in watcher.output.partition(" v5 ")[0]
        over = scoreboard(tmp_path, "watch", server.url, "--period", "2026-W47")
        assert over.returncode == 0
        assert [line.partition(" ")[2] for line in over.stdout.splitlines()] == [
            "v3 1 ada 5.2",
            "v3 2 bob 5.2",
        ]
        assert over.stderr.endswith(" 2026-W47 has ended\n")
        for period, reason in {
            "month": "month",
            "2026-W49": "2026-W49",
            "weekly": "or an id such as",
        }.items():
            refused = scoreboard(tmp_path, "watch", server.url, "--period", period)
            assert (refused.returncode, refused.stdout) == (2, "")
            assert reason in refused.stderr


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
def test_an_invalid_address_is_one_line_and_exit_code_2(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = scoreboard(tmp_path, "watch", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("scoreboard: ")
    assert len(done.stderr.splitlines()) == 1


def test_it_reconnects_to_a_server_that_was_killed_and_started_again(tmp_path: Path) -> None:
    with serving(tmp_path) as (server, client), watching(tmp_path, client.base_url) as watcher:
        watcher.line_with("Z live")
        client.score("ada")
        watcher.line_with(" v1 1 ada 50 new")
        server.end(signal.SIGKILL)
        watcher.line_with("Z reconnecting: ")
        with serving(tmp_path, SCOREBOARD_PORT=str(client.base_url.port)) as (_, restarted):
            watcher.line_with("Z live")
            restarted.score("ada")
            watcher.line_with(" v2 1 ada 100 (+50)")
        assert watcher.output.count(" v1 ") == 1


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_it_may_be_started_before_its_server_and_ends_by_a_signal(tmp_path: Path, by: signal.Signals) -> None:
    with watching(tmp_path, f"http://127.0.0.1:{free_port()}") as watcher:
        watcher.line_with("Z connecting: Connection refused")
        assert watcher.end(by) == 0
        assert len(watcher.output.splitlines()) == 1


def test_it_ends_with_the_reader_of_its_pipe(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        server.score("ada")
        with subprocess.Popen(
            [*COMMAND, "watch", server.url],
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
        # The terminal has the size, not the variables of another one.
        variables = {
            name: value for name, value in environment(folder).items() if name not in {"COLUMNS", "LINES"}
        }
        self.process = subprocess.Popen(
            [sys.executable, "-c", IN_FRONT, *COMMAND, *arguments],
            cwd=folder,
            env={**variables, "TERM": "xterm-256color"},
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
    """Return the drawn lines without colours, cursor movements and the terminal's echo."""
    return [
        re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line)
        for line in re.split(r"\r?\n|\^C|\x1b\[H|\x1b\[\?1049[hl]", output)
    ]


def test_a_terminal_shows_a_table_that_fits_and_is_restored_at_the_end(tmp_path: Path) -> None:
    names = {
        "long": "x" * 128,
        "wide": "🏆🦊" * 40,
        "rtl": "שלום " * 25,
        "markup": "[red]Ada[/red] :smile:",
    }
    with running(tmp_path) as server:
        for user_id, name in names.items():
            server.score(user_id, name=name)
        terminal = Terminal(tmp_path, "watch", server.url)
        try:
            terminal.until(lambda output: "Live since" in output and "[red]Ada[/red] :smile:" in output)
            server.score("markup", name=names["markup"])
            terminal.until(lambda output: "+50" in output and "▲3" in output and "▼1" in output)
            server.stop()
            terminal.until(lambda output: "Reconnecting since" in output)
            terminal.press("\x03")
            # The last board stays in the terminal.
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


def test_a_narrow_terminal_shows_whole_scores(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        server.score("ada", "jackpot", name="Ada Lovelace, Countess of Lovelace")
        for arguments in (("watch", server.url), ("admin", "history", "ada")):
            terminal = Terminal(tmp_path, *arguments, columns=40)
            try:
                terminal.until(lambda output: "9,007,199,254,740,991" in output)
            finally:
                terminal.close()
            lines = plain_lines(terminal.output)
            assert max(map(cell_len, lines)) <= 40
            if arguments[0] == "watch":
                assert any(re.search(r"Ada Lov\w*… +9,007,199,254,740,991$", line.rstrip()) for line in lines)
