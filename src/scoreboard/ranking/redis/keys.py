"""What a board is called in Redis. Its keys share a hash tag, so that a cluster keeps them in one place (one slot)."""

from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class BoardKeys:
    """Keys and channels of one board. Whoever names a board may use any character; a hash tag ends at the first "}"."""

    prefix: str
    board: str

    @property
    def base(self) -> str:
        return f"{self.prefix}:{{{quote(self.board, safe='')}}}"

    @property
    def copy(self) -> tuple[str, str, str]:
        """The head, the order, and the prefix of the rows."""
        return f"{self.base}:head", f"{self.base}:order", f"{self.base}:rows"

    @property
    def changed(self) -> str:
        """The channel that tells of a change."""
        return f"{self.base}:changed"

    def probe(self, process: str) -> str:
        """The key, and the channel, by which a process finds out whether it is still connected."""
        return f"{self.base}:probe:{process}"


def names_key(prefix: str) -> str:
    """Who the players of all boards are. No board has a tag with a bare "@"."""
    return f"{prefix}:{{@players}}:names"


def names_probe(prefix: str, process: str) -> str:
    """The key by which a process finds out whether these can be written."""
    return f"{prefix}:{{@players}}:probe:{process}"
