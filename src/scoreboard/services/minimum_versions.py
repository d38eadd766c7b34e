"""The rule that decides whether a cached or copied page may still be served."""

from collections.abc import Mapping

from scoreboard.domain.events import Head


class MinimumVersions:
    """The lowest version of each board that may be served: that of its newest known correction.

    A page of an older version may show a player that has since been banned or erased, or points that were
    voided.
    """

    def __init__(self) -> None:
        self._versions: dict[str, int] = {}
        self.increases = 0
        """The number of increases so far. If it has changed, this process learned of a correction."""

    def of(self, board: str) -> int:
        """Return the lowest version of a board that may be served."""
        return self._versions.get(board, 0)

    def increase(self, board: str, version: int) -> None:
        """Refuse pages of a board that are older than a version."""
        if version > self.of(board):
            self._versions[board] = version
            self.increases += 1

    def update(self, heads: Mapping[str, Head]) -> None:
        """Refuse pages that are older than the newest corrections in the store."""
        for board, head in heads.items():
            self.increase(board, head.corrected_version)

    def reset(self, board: str, version: int) -> None:
        """Accept lower versions again: a backup was restored, so the board has another history."""
        self._versions[board] = version
