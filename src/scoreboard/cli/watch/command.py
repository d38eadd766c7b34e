"""The command, and its two loops: drawing in a terminal, and printing to a pipe."""

import io
import os
import select
import signal
import sys
import time
from typing import Annotated, Final

import typer
from rich.console import Console, ConsoleDimensions
from rich.live import Live

from scoreboard.cli import arguments
from scoreboard.cli.arguments import DEFAULT_URL, Url
from scoreboard.cli.watch.board_stream import BoardStream, PeriodEnd, Reader
from scoreboard.cli.watch.schemas import Board
from scoreboard.cli.watch.view import View
from scoreboard.cli.watch.views import Lines, Screen
from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.plain_text import printable

TICK_SECONDS: Final = 1.0
"""The time between two checks for a resized terminal and a closed pipe."""

READABLE_SECONDS: Final = 0.4
"""The shortest time that a board is shown. A server sends up to 40 a second, which is too fast to read."""


def watch(
    url: Url = DEFAULT_URL,
    board: arguments.Board = None,
    period: Annotated[
        str, typer.Option(help="all; day, week or month for the one that is open; or an id such as 2026-W48.")
    ] = ALL_TIME,
    limit: Annotated[
        int | None, typer.Option(min=1, max=100, help="The number of rows. By default, the board's.")
    ] = None,
    token: Annotated[
        str | None, typer.Option(envvar="SCOREBOARD_TOKEN", help="A token, for a server with private boards.")
    ] = None,
) -> None:
    """Show the live board in a terminal, or print one line for each changed row to a pipe.

    Reconnects when the server or the network was unavailable. Stop it with Ctrl-C. A period with an id is
    shown until it ends; one that is over is shown once.
    """
    reader = Reader(BoardStream(url, View(board, period, limit), token=token))
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A name may have characters that the terminal's encoding lacks.
            stream.reconfigure(errors="replace")
    try:
        if sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb":
            _draw(reader, Screen(printable(url)), Console(force_terminal=True))
        else:
            _print(reader, Lines())
    except KeyboardInterrupt:
        return
    except BrokenPipeError:
        # The reader of the pipe has ended. Without this, Python reports the error again when it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _print(reader: Reader, lines: Lines) -> None:
    while not _is_closed(sys.stdout.fileno()):
        for update in reader.take(TICK_SECONDS):
            lines.take(update)
            if isinstance(update, PeriodEnd):
                return


def _is_closed(pipe: int) -> bool:
    """Return True if no process reads the pipe. Otherwise `| head -1` would end at the next score only."""
    poll = select.poll()
    poll.register(pipe, 0)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


def _draw(reader: Reader, screen: Screen, console: Console) -> None:
    try:
        with Live(
            console=console, screen=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False
        ) as live:
            try:
                _draw_until_interrupted(reader, screen, live)
            finally:
                # A second Ctrl-C must not interrupt the restoring of the terminal.
                signal.signal(signal.SIGINT, signal.SIG_IGN)
    finally:
        console.print(screen.last(console.width), end="")


def _draw_until_interrupted(reader: Reader, screen: Screen, live: Live) -> None:
    drawn_size: ConsoleDimensions | None = None
    while True:
        size = live.console.size
        updates = reader.take(TICK_SECONDS) if size == drawn_size else []
        screen.take(updates)
        if screen.has_ended:
            return
        if updates or size != drawn_size:
            live.update(screen.drawing(size.width), refresh=True)
            drawn_size = size
        if any(isinstance(update, Board) for update in updates):
            time.sleep(READABLE_SECONDS)
