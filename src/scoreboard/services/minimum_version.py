"""The rule that decides whether a cached page may still be served."""


class MinimumVersions:
    """For each board, the lowest version that may be served: that of its newest known correction.

    A page of an older version may show a player that has since been banned or erased, or points that were voided.
    """

    def __init__(self) -> None:
        self._versions: dict[str, int] = {}

    def of(self, board: str) -> int:
        """Return the lowest version of a board that may be served."""
        return self._versions.get(board, 0)

    def corrected(self, board: str, version: int) -> None:
        """Refuse pages that are older than a correction."""
        if version > self.of(board):
            self._versions[board] = version

    def restart(self, board: str, version: int) -> None:
        """Accept the versions of another history, as after a backup was restored."""
        self._versions[board] = version
