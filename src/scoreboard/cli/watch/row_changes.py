"""Row-by-row changes between two boards."""

from dataclasses import dataclass

from scoreboard.cli.watch.schemas import Board, Row


@dataclass(frozen=True, slots=True)
class RowChange:
    """A row's change since an earlier board: ranks `climbed` (negative: fell), and points `gained`."""

    row: Row
    climbed: int = 0
    gained: int = 0
    is_new: bool = False
    is_changed: bool = True

    @property
    def marker(self) -> str:
        """`new`, the ranks climbed or fallen such as `▲2`, or nothing."""
        if self.is_new:
            return "new"
        if self.climbed:
            return f"{'▲' if self.climbed > 0 else '▼'}{abs(self.climbed)}"
        return ""


def row_changes(before: Board | None, now: Board) -> list[RowChange]:
    """Compare row by row. Without an earlier version of the board, each row has changed and none is new."""
    if before is None or (before.board, before.period) != (now.board, now.period):
        return [RowChange(row) for row in now.entries]
    known = {row.user_id: row for row in before.entries}
    return [_change(known.get(row.user_id), row) for row in now.entries]


def _change(before: Row | None, row: Row) -> RowChange:
    if before is None:
        return RowChange(row, is_new=True)
    return RowChange(row, before.rank - row.rank, row.score - before.score, is_changed=before != row)
