"""Row-by-row differences between two boards."""

from dataclasses import dataclass

from scoreboard.cli.board_stream import Board, Row


@dataclass(frozen=True, slots=True)
class Difference:
    """The change of a row since an earlier board: ranks `climbed` (negative if it fell), and points `gained`."""

    row: Row
    climbed: int = 0
    gained: int = 0
    is_new: bool = False
    is_changed: bool = True


def differences(before: Board | None, now: Board) -> list[Difference]:
    """Compare row by row. Without an earlier version of the same board, each row has changed and none is new."""
    if before is None or before.board != now.board:
        return [Difference(row) for row in now.entries]
    known = {row.user_id: row for row in before.entries}
    return [_difference(known.get(row.user_id), row) for row in now.entries]


def _difference(before: Row | None, row: Row) -> Difference:
    if before is None:
        return Difference(row, is_new=True)
    return Difference(row, before.rank - row.rank, row.score - before.score, is_changed=before != row)


def marker(difference: Difference) -> str:
    if difference.is_new:
        return "new"
    if difference.climbed:
        return f"{'▲' if difference.climbed > 0 else '▼'}{abs(difference.climbed)}"
    return ""
