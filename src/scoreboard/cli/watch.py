"""`scoreboard watch`"""

import io
import os
import select
import signal
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Final

import typer
from rich.console import Console, ConsoleDimensions, Group, RenderableType
from rich.live import Live
from rich.text import Text

from scoreboard.cli.board_stream import Behind, Board, BoardStream, Lost, News, Reader
from scoreboard.cli.board_table import board_table, one_line
from scoreboard.cli.differences import Difference, differences, marker
from scoreboard.clock import SystemClock
from scoreboard.domain.plain_text import printable
from scoreboard.ports.clock import Clock

TICK_SECONDS: Final = 1.0
"""How often to look for what comes without news: a terminal of another size, a pipe that nobody reads any more."""

READABLE_SECONDS: Final = 0.4
"""How long a drawn board stays at least: a server sends up to forty a second, and nobody could read what changed."""


def watch(
    url: Annotated[
        str, typer.Argument(metavar="URL", help="The server's address.")
    ] = "http://127.0.0.1:8000",
    board: Annotated[
        str | None, typer.Option(metavar="ID", help="The board; without it, the catalog's first.")
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(envvar="SCOREBOARD_TOKEN", help="For a server whose boards are private."),
    ] = None,
) -> None:
    """Watch the live board in a terminal, or as lines in a pipe: one for each row that has changed.

    Comes back by itself whenever the server or the network was away. Stop it with Ctrl-C.
    """
    reader = Reader(BoardStream(url, board, token=token))
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # A name may have more characters than the terminal.
    try:
        if sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb":
            _draw(reader, Screen(printable(url)), Console(force_terminal=True))
        else:
            _print(reader, Lines())
    except KeyboardInterrupt:
        return
    except BrokenPipeError:
        # Whoever read has seen enough; Python would complain once more when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _print(reader: Reader, lines: "Lines") -> None:
    while not _nobody_reads(sys.stdout.fileno()):
        for news in reader.take(TICK_SECONDS):
            lines.take(news)


def _nobody_reads(descriptor: int) -> bool:
    """Without this, `| head -1` would end at the next score only."""
    poll = select.poll()
    poll.register(descriptor, 0)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


def _draw(reader: Reader, screen: "Screen", console: Console) -> None:
    try:
        with Live(
            console=console, screen=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False
        ) as live:
            try:
                _draw_for_ever(reader, screen, live)
            finally:
                # A second Ctrl-C must not interrupt the restoring of the terminal.
                signal.signal(signal.SIGINT, signal.SIG_IGN)
    finally:
        console.print(screen.last(console.width), end="")


def _draw_for_ever(reader: Reader, screen: "Screen", live: Live) -> None:
    drawn_size: ConsoleDimensions | None = None
    while True:
        size = live.console.size
        all_news = reader.take(TICK_SECONDS) if size == drawn_size else []
        screen.take(all_news)
        if all_news or size != drawn_size:
            live.update(screen.drawing(size.width), refresh=True)
            drawn_size = size
        if any(isinstance(news, Board) for news in all_news):
            time.sleep(READABLE_SECONDS)


class State:
    """Whether the board is live, in words, and since when."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.word = "connecting"
        self.reason = ""
        self.since = self.now()

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now_us() // 1_000_000, UTC)

    @property
    def is_live(self) -> bool:
        return self.word == "live"

    def take(self, news: News) -> bool:
        """Whether there is something to tell."""
        before = (self.word, self.reason)
        match news:
            case Board(stale=True):
                word, self.reason = "stale", "the server cannot reach its data"
            case Board():
                word, self.reason = "live", ""
            case Behind():
                word, self.reason = "live", "the server has an older board than this one"
            case Lost(reason):
                word = "connecting" if self.word == "connecting" else "reconnecting"
                self.reason = reason
        if word != self.word:
            self.word, self.since = word, self.now()
        return (self.word, self.reason) != before


class Lines:
    """For programs: rows that have changed to standard output, and the state to standard error."""

    def __init__(self, clock: Clock | None = None, echo: Callable[..., None] = typer.echo) -> None:
        self._state = State(clock or SystemClock())
        self._echo = echo
        self._board: Board | None = None

    def take(self, news: News) -> None:
        if self._state.take(news):
            reason = f": {self._state.reason}" if self._state.reason else ""
            self._echo(f"{_rfc3339(self._state.now())} {self._state.word}{reason}", err=True)
        if isinstance(news, Board):
            at = _rfc3339(news.updated_at or self._state.now())
            for difference in differences(self._board, news):
                if difference.is_changed:
                    self._echo(f"{at} v{news.version} {_line(difference)}")
            self._board = news


def _rfc3339(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _line(difference: Difference) -> str:
    row = difference.row
    gained = f"({difference.gained:+})" if difference.gained else ""
    parts = (str(row.rank), printable(row.name), str(row.score), gained, marker(difference))
    return " ".join(part for part in parts if part)


class Screen:
    """For people: the board as a table, over it whether it is live."""

    def __init__(self, url: str, clock: Clock | None = None) -> None:
        self._url = url
        self._state = State(clock or SystemClock())
        self._differences: list[Difference] = []
        self.board: Board | None = None

    def take(self, all_news: list[News]) -> None:
        """Of several boards that came at once only the last is drawn, against the one that was drawn before."""
        before = self.board
        for news in all_news:
            self._state.take(news)
            if isinstance(news, Board):
                self.board = news
        if self.board is not None and self.board is not before:
            self._differences = differences(before, self.board)

    def drawing(self, width: int) -> RenderableType:
        return Group(self._title(), self._state_line(), self._rows(width))

    def last(self, width: int) -> RenderableType:
        """What stays in the terminal: the board without its state, which nobody watches any more."""
        return Group(self._title(), self._rows(width)) if self.board is not None else Group()

    def _rows(self, width: int) -> RenderableType:
        if self._differences:
            return board_table(self._differences, width, is_live=self._state.is_live)
        return one_line("" if self.board is None else "\nNobody has scored yet.", "dim")

    def _title(self) -> Text:
        if self.board is None:
            return one_line(f"Scoreboard {self._url}", "bold")
        shown_rows, players = len(self.board.entries), self.board.players
        of = (
            f"the top {shown_rows} of {players:,} players"
            if players > shown_rows
            else _count(players, "player")
        )
        return one_line(printable(self.board.board), "bold").append(
            f" · {of} · version {self.board.version:,}", "not bold"
        )

    def _state_line(self) -> Text:
        since = self._state.since.astimezone().strftime("%Y-%m-%d %H:%M:%S")
        reason = f": {self._state.reason}" if self._state.reason else ""
        line = one_line(
            f"{self._state.word.capitalize()} since {since}", "green" if self._state.is_live else "yellow"
        )
        return line.append(reason)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
