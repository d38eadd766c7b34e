"""The two forms of a watched board: lines for programs, and a screen for people."""

from collections.abc import Callable
from datetime import UTC, datetime

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from scoreboard.cli.watch.board_stream import OlderBoard, PeriodEnd, StreamLoss, Update
from scoreboard.cli.watch.board_table import board_table, one_line
from scoreboard.cli.watch.row_changes import RowChange, row_changes
from scoreboard.cli.watch.schemas import Board, Definition, score_text
from scoreboard.clock import SystemClock
from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.plain_text import printable
from scoreboard.ports.clock import Clock


class ConnectionState:
    """The state of the connection as a word, its reason, and its start."""

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

    def take(self, update: Update) -> bool:
        """Return True if the word or the reason has changed."""
        before = (self.word, self.reason)
        word = self.word
        match update:
            case Board(stale=True):
                word, self.reason = "stale", "the server cannot reach its data"
            case Board():
                word, self.reason = "live", ""
            case OlderBoard():
                word, self.reason = "live", "the server has an older board than this one"
            case StreamLoss(reason):
                word = "connecting" if self.word == "connecting" else "reconnecting"
                self.reason = reason
        if word != self.word:
            self.word, self.since = word, self.now()
        return (self.word, self.reason) != before


class Lines:
    """Print changed rows to standard output, and the state to standard error."""

    def __init__(self, clock: Clock | None = None, echo: Callable[..., None] = typer.echo) -> None:
        self._state = ConnectionState(clock or SystemClock())
        self._echo = echo
        self._definition = Definition()
        self._board: Board | None = None

    def take(self, update: Update) -> None:
        if self._state.take(update):
            reason = f": {self._state.reason}" if self._state.reason else ""
            self._echo(f"{_rfc3339(self._state.now())} {self._state.word}{reason}", err=True)
        match update:
            case Definition():
                self._definition = update
            case PeriodEnd(period):
                self._echo(f"{_rfc3339(self._state.now())} {period} has ended", err=True)
            case Board():
                self._print(update)

    def _print(self, board: Board) -> None:
        period = board.period
        if period not in {ALL_TIME, None if self._board is None else self._board.period}:
            end = self._definition.end_of(period)
            until = "" if end is None else f" until {_rfc3339(end)}"
            self._echo(f"{_rfc3339(self._state.now())} {printable(period)}{until}", err=True)
        at = _rfc3339(board.updated_at or self._state.now())
        for change in row_changes(self._board, board):
            if change.is_changed:
                self._echo(f"{at} v{board.version} {_line(change, self._definition)}")
        self._board = board


def _rfc3339(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _line(change: RowChange, definition: Definition) -> str:
    row, decimals = change.row, definition.decimals
    columns = (
        f"{printable(column.id)}={score_text(row.columns[column.id], column.decimals)}"
        for column in definition.columns
        if column.id in row.columns
    )
    gained = f"({score_text(change.gained, decimals, is_signed=True)})" if change.gained else ""
    score = score_text(row.score, decimals)
    parts = (str(row.rank), printable(row.name), score, gained, *columns, change.marker)
    return " ".join(part for part in parts if part)


class Screen:
    """Draw the board as a table below the state of the connection."""

    def __init__(self, url: str, clock: Clock | None = None) -> None:
        self._url = url
        self._state = ConnectionState(clock or SystemClock())
        self._definition = Definition()
        self._changes: list[RowChange] = []
        self.has_ended = False
        self.board: Board | None = None

    def take(self, updates: list[Update]) -> None:
        """Keep the last of several boards, with its changes since the board that was drawn before."""
        before = self.board
        for update in updates:
            self._state.take(update)
            match update:
                case Board():
                    self.board = update
                case Definition():
                    self._definition = update
                case PeriodEnd():
                    self.has_ended = True
        if self.board is not None and self.board is not before:
            self._changes = row_changes(before, self.board)

    def drawing(self, width: int) -> RenderableType:
        return Group(self._title(), self._state_line(), self._rows(width))

    def last(self, width: int) -> RenderableType:
        """Return what stays in the terminal at the end: the board, without the state."""
        return Group(self._title(), self._rows(width)) if self.board is not None else Group()

    def _rows(self, width: int) -> RenderableType:
        if self._changes:
            return board_table(self._changes, self._definition, width, is_live=self._state.is_live)
        return one_line("" if self.board is None else "\nThe board has no scores yet.", "dim")

    def _title(self) -> Text:
        if self.board is None:
            return one_line(f"Scoreboard {self._url}", "bold")
        shown_rows, players = len(self.board.entries), self.board.players
        of = (
            f"the top {shown_rows} of {players:,} players"
            if players > shown_rows
            else f"{players:,} player{'' if players == 1 else 's'}"
        )
        period = self._period(self.board.period)
        return one_line(printable(self.board.board), "bold").append(
            f"{period} · {of} · version {self.board.version:,}", "not bold"
        )

    def _period(self, period: str) -> str:
        """Return the period and when it ends, in local time."""
        if period == ALL_TIME:
            return ""
        if self.has_ended:
            return f" · {printable(period)}, ended"
        end = self._definition.end_of(period)
        until = "" if end is None else f", ends {end.astimezone().strftime('%Y-%m-%d %H:%M')}"
        return f" · {printable(period)}{until}"

    def _state_line(self) -> Text:
        since = self._state.since.astimezone().strftime("%Y-%m-%d %H:%M:%S")
        reason = f": {self._state.reason}" if self._state.reason else ""
        line = one_line(
            f"{self._state.word.capitalize()} since {since}", "green" if self._state.is_live else "yellow"
        )
        return line.append(reason)
