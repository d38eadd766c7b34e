"""The table of `scoreboard watch` at any width. Scores are never cut, and cut names are marked."""

import io
import re

import pytest
from rich.cells import cell_len
from rich.console import Console

from scoreboard.cli.watch.board_stream import PeriodEnd
from scoreboard.cli.watch.schemas import Board, Column, Definition, OpenPeriod, Row
from scoreboard.cli.watch.views import Screen

LARGEST = 9_007_199_254_740_991
NAMES = ("Ada Lovelace, Countess of Lovelace", "שלום " * 10, "🏆🦊" * 20, "Bo")


def drawn(width: int, *scores: int, before: int = 0) -> list[str]:
    """Return the lines of a board after each player had `before` points."""
    screen = Screen("http://127.0.0.1:8000")
    for version, now in enumerate(([before] * len(scores), scores), start=1):
        rows = tuple(
            Row(rank=n, user_id=str(n), name=NAMES[n - 1], score=score)
            for n, score in enumerate(now, start=1)
        )
        screen.take([Board(board="main", version=version, updated_at=None, players=len(rows), entries=rows)])
    printed = io.StringIO()
    Console(file=printed, width=width).print(screen.drawing(width))
    return printed.getvalue().splitlines()


@pytest.mark.parametrize("width", [40, 41, 47, 60, 80, 200])
@pytest.mark.parametrize("scores", [(LARGEST,) * 4, (LARGEST, 12, -LARGEST, 0), (7, 6, 5, 4)], ids=str)
def test_a_row_shows_the_whole_score(width: int, scores: tuple[int, ...]) -> None:
    lines = drawn(width, *scores, before=3)
    assert max(map(cell_len, lines)) <= width
    for name, score in zip(NAMES, scores, strict=True):
        (row,) = (line for line in lines if name[:2] in line)
        assert re.search(rf"(?<!\S)\u200e?{score:,}(?!\S)", row)


@pytest.mark.parametrize("width", range(10, 40))
def test_a_very_narrow_terminal_shows_all_digits(width: int) -> None:
    lines = drawn(width, LARGEST)
    assert max(map(cell_len, lines)) <= width
    digits = "".join(re.sub(r"[^0-9]", "", line) for line in lines[4:])
    assert digits.removeprefix("1") == str(LARGEST) or digits == str(LARGEST)


@pytest.mark.parametrize("width", range(12, 60))
def test_a_cut_text_ends_with_an_ellipsis(width: int) -> None:
    title, state, _, _, row, *_ = drawn(width, LARGEST)
    for line, whole in ((title, "main · 1 player · version 2"), (state, "Live since 2026-11-28 00:00:00")):
        assert line.endswith("…") or cell_len(line) == len(whole)
    assert NAMES[0] in row or "…" in row


def test_a_wide_terminal_shows_changes() -> None:
    assert drawn(80, 50, before=30)[-1].split() == ["1", *NAMES[0].split(), "50", "+20"]
    assert "+20" not in drawn(18, 50, before=30)[-1]


LAPS = Definition(
    sort="ascending", decimals=3, unit="s", columns=(Column(id="pit-stops"), Column(id="speed", decimals=1))
)


def lap(rank: int, user_id: str, score: int, **columns: int) -> Row:
    return Row(rank=rank, user_id=user_id, name=user_id.title(), score=score, columns=columns)


def test_scores_have_decimals_and_a_unit_and_columns_are_shown_where_there_is_room() -> None:
    screen = Screen("http://127.0.0.1:8000")
    screen.take([LAPS])
    for version, score in enumerate((61_250, 1_060_750), start=1):
        rows = (
            lap(1, "ada", score, **{"pit-stops": 1, "speed": 2_811}),
            lap(1, "bob", score, **{"pit-stops": 1, "speed": 2_811}),
            lap(3, "cyd", -5, **{"pit-stops": 0, "speed": 0}),
        )
        screen.take([Board(board="race", version=version, updated_at=None, players=3, entries=rows)])
    printed = io.StringIO()
    for width in (80, 35):
        Console(file=printed, width=width).print(screen.drawing(width))
    lines = [line.split() for line in printed.getvalue().splitlines()]
    assert ["Rank", "Name", "Score", "(s)", "Pit-stops", "Speed", "Change"] in lines
    assert lines.count(["1", "Ada", "1,060.750", "1", "281.1", "+999.500"]) == 1
    assert lines.count(["1", "Bob", "1,060.750", "1", "281.1", "+999.500"]) == 1
    assert ["3", "Cyd", "-0.005", "0", "0.0"] in lines
    assert ["1", "Ada", "1,060.750"] in lines


def test_the_heading_names_the_period_and_its_end() -> None:
    screen = Screen("http://127.0.0.1:8000")
    week = Definition(timezone="Europe/Berlin", periods=(OpenPeriod(kind="week", id="2026-W48"),))
    board = Board(board="main", period="2026-W48", version=1, updated_at=None, players=0, entries=())
    screen.take([week, board])
    # In local time, which is UTC in tests.
    assert "main · 2026-W48, ends 2026-11-29 23:00 · 0 players" in drawing_of(screen)
    screen.take([PeriodEnd("2026-W48")])
    assert "main · 2026-W48, ended · 0 players" in drawing_of(screen)


def drawing_of(screen: Screen) -> str:
    printed = io.StringIO()
    Console(file=printed, width=100).print(screen.drawing(100))
    return printed.getvalue()
