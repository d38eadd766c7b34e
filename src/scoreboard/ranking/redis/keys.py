"""Keys in Redis. All keys of a board have the same hash tag, so a cluster keeps them in one slot."""

from dataclasses import dataclass
from functools import cache
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class BoardKeys:
    """Keys and channels of one board. Its name is quoted, because a hash tag ends at the first "}"."""

    prefix: str
    board: str

    @property
    def base(self) -> str:
        return f"{self.prefix}:{{{_quoted(self.board)}}}"

    @property
    def copy(self) -> tuple[str, str, str]:
        """The head, the order, and the prefix of the rows."""
        return f"{self.base}:head", f"{self.base}:order", f"{self.base}:rows"

    @property
    def changed(self) -> str:
        """The channel on which changes are announced."""
        return f"{self.base}:changed"

    def probe(self, process: str) -> str:
        """The key, and the channel, that a process uses to check its connection."""
        return f"{self.base}:probe:{process}"


@cache
def _quoted(board: str) -> str:
    return quote(board, safe="")


def names_key(prefix: str) -> str:
    """Return the prefix of all players' names. No board has the tag "@players", because "@" is quoted."""
    return f"{prefix}:{{@players}}:names"


def names_probe(prefix: str, process: str) -> str:
    """Return the key that a process uses to check whether names can be written."""
    return f"{prefix}:{{@players}}:probe:{process}"
