"""The nouns of the scoreboard: frozen values, and THE order of a board.

Times are whole microseconds since the Unix epoch (`…_us`). Scores are integers within ±MAX_SCORE.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

MAX_SCORE: Final = 2**53 - 1
"""The largest integer that every JSON reader and every Redis sorted set keeps exactly (RFC 8259, section 6)."""

ALL_TIME: Final = "all"
"""The one period that standings are kept for so far."""


UTC: Final = ZoneInfo("UTC")

ERASED_MARK: Final = "\x1a"
"""What the user id of an erased player begins with: a control character (SUBSTITUTE), which no id of a user has."""


class EventKind(StrEnum):
    """What an event does to its player's standing. An award is the player's doing, all others are corrections."""

    AWARD = "award"
    ADJUST = "adjust"
    """Points given or taken by hand."""
    VOID = "void"
    """Takes back the points of an earlier event, its target."""
    UNVOID = "unvoid"
    """Gives them back."""
    BAN = "ban"
    """Off the board, score kept; no more submissions."""
    UNBAN = "unban"
    ERASE = "erase"
    """Off the board for good; nobody knows any more who it was."""
    HIDE = "hide"
    """Off the board, but submissions count as before."""
    SHOW = "show"
    RENAME = "rename"
    """The name was changed or cleared. The name itself is only in `players`."""
    RELEASE_NAME = "release-name"
    """The player's own tokens may change the name again."""


@dataclass(frozen=True, slots=True)
class Board:
    """A board of the catalog. Its days begin at midnight in its time zone."""

    id: str
    title: str
    timezone: ZoneInfo = UTC


@dataclass(frozen=True, slots=True)
class Action:
    """Something that users complete, what it is worth, the board that it counts on, and when it may be claimed.

    Where there is a range of points, a trusted server says what one claim is worth within it. `for_players` is whether
    players may claim it themselves, `needs_proof` whether they have to show a trusted server's proof then. `requires`
    names an action that has to have been completed before.
    """

    id: str
    board: str
    points: int
    title: str
    points_range: tuple[int, int] | None = None
    enabled: bool = True
    for_players: bool = True
    cooldown_us: int | None = None
    max_per_day: int | None = None
    max_total: int | None = None
    valid_from_us: int | None = None
    valid_until_us: int | None = None
    requires: str | None = None
    timezone: ZoneInfo = UTC
    needs_proof: bool = False


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most `count` accepted submissions of one player in any `window_us` microseconds."""

    count: int
    window_us: int


@dataclass(frozen=True, slots=True)
class Caller:
    """Who stands behind a request: the verified token's subject, what it may do, and the token's own id."""

    user_id: str
    name: str | None = None
    scopes: frozenset[str] = frozenset()
    token_id: str | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a submission came from. The hashes are keyed: alike for the same client, and of no use to anybody else."""

    token_id: str | None = None
    address_hash: int | None = None
    agent_hash: int | None = None


NOWHERE: Final = Origin()


@dataclass(frozen=True, slots=True)
class Proof:
    """A trusted server's word that a user has completed an action, maybe with what it was worth. It counts once."""

    user_id: str
    action_id: str
    digest: UUID
    points: int | None = None
    is_over: bool = False
    earlier_digests: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Submission:
    """A user's claim to have completed an action, on its way to the ledger.

    `event_id` is made before the commit, so that an event can be looked up when a commit's answer is lost.
    `idempotency_digest` stands for submitter and key together: keys of two submitters never meet. `proof_digest` stands
    for its proof, if it has one. It `is_late` if the proof has expired: then only a repeat is accepted. Both may be in
    the ledger under an earlier digest (`digests.Digest`).
    """

    event_id: UUID
    user_id: str
    name: str | None
    action: Action
    idempotency_digest: UUID | None = None
    given_points: int | None = None
    proof_digest: UUID | None = None
    is_late: bool = False
    origin: Origin = NOWHERE
    earlier_digests: tuple[bytes, ...] = ()
    earlier_proof_digests: tuple[bytes, ...] = ()

    @property
    def all_digests(self) -> list[str]:
        """Each digest under which an event of this idempotency key may be in the ledger, in hexadecimal."""
        return _hexadecimal(self.idempotency_digest, self.earlier_digests)

    @property
    def all_proof_digests(self) -> list[str]:
        """Each digest under which an event of this proof may be in the ledger, in hexadecimal."""
        return _hexadecimal(self.proof_digest, self.earlier_proof_digests)

    @property
    def board(self) -> str:
        return self.action.board

    @property
    def points(self) -> int:
        """What it is worth."""
        return self.action.points if self.given_points is None else self.given_points


def _hexadecimal(current: UUID | None, earlier: tuple[bytes, ...]) -> list[str]:
    return [] if current is None else [current.hex, *(digest.hex() for digest in earlier)]


@dataclass(frozen=True, slots=True)
class Event:
    """A row of the ledger: never changed, never deleted.

    `at_us` never goes back on a board, even if the clock does; see `windows`.

    `version` is the board's, gapless from 1. `seq` counts the player's accepted submissions over all boards,
    `action_seq` those of this action: only awards have them, and an action. `score` is the player's on this board once
    the event has happened. `target_version` is the event of this board that a void takes back, or an unvoid gives back.
    `hides` is true for an award or adjustment that begins the standing of a hidden player.
    """

    event_id: UUID
    board: str
    version: int
    player: int
    kind: EventKind
    seq: int | None
    action_id: str | None
    action_seq: int | None
    points: int
    score: int
    at_us: int
    idempotency_digest: UUID | None = None
    proof_digest: UUID | None = None
    target_version: int | None = None
    origin: Origin = NOWHERE
    clock_us: int | None = None
    """The clock's reading, where `at_us` is ahead of it. None: the same as `at_us`."""
    hides: bool = False

    @property
    def reading_us(self) -> int:
        """The clock's reading. Rate limits and other windows of time use it, and clients see it."""
        return self.at_us if self.clock_us is None else self.clock_us


@dataclass(frozen=True, slots=True)
class Correction:
    """What an administrator rights, and why: of an event (`board`, `target_version`), or of a player (`user_id`).

    A void has either, the latter with the time from which on all the player's awards are meant (`since_us`); an unvoid
    has an event; an adjustment has player, board and points; all others have a player. A change of the name has the
    new name (None: boards show the user id). It `keeps_name` if later submissions do not change the name.
    """

    kind: EventKind
    actor: str
    reason: str
    user_id: str | None = None
    board: str | None = None
    points: int = 0
    target_version: int | None = None
    since_us: int | None = None
    name: str | None = None
    keeps_name: bool = False
    idempotency_digest: UUID | None = None
    earlier_digests: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Player:
    """The player with an integer key of the ledger, the same on every board.

    `seq` counts the accepted submissions over all boards, `renames` the changes of the name by corrections.
    """

    key: int
    user_id: str
    name: str | None
    seq: int
    is_banned: bool
    is_hidden: bool = False
    is_name_kept: bool = False
    renames: int = 0

    @property
    def stamp(self) -> int:
        """`Standing.seq`."""
        return self.seq + self.renames


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a player stands on a board, in absolute terms.

    `version` is the last event that changed the standing. `reached_version` is the event that reached `score`, in the
    history without the events that are void now: a correction that is undone leaves no trace in the order. A standing
    that is not `listed` keeps its score and has no rank. User id and name are the same on every board. `seq` counts
    the player's accepted submissions over all boards and the changes of the name by corrections, so the name with the
    higher `seq` is the newer one.
    """

    player: int
    user_id: str
    name: str | None
    score: int
    reached_version: int
    reached_at_us: int
    version: int
    seq: int
    listed: bool = True


@dataclass(frozen=True, slots=True)
class Reached:
    """The event that reached a score, and its reading of the clock."""

    version: int
    at_us: int


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a board's history: its newest version and that event's times (0 for an empty board).

    `corrected_version` is the version of the newest correction, if it was queried. `clock_us` is as in `Event`.
    """

    version: int
    at_us: int
    corrected_version: int = field(default=0, compare=False)
    clock_us: int | None = None

    @property
    def reading_us(self) -> int:
        """The clock's reading, as in `Event`."""
        return self.at_us if self.clock_us is None else self.clock_us


class ChangeKind(StrEnum):
    """What a copy of a board is after a change."""

    STEP = "step"
    """A commit: it leads from one state of the board to a later one."""
    PAGE = "page"
    """A page of what a copy has missed: until the last one is in, the copy is no state that the board ever had."""
    LAST_PAGE = "last page"
    """The last such page: the copy is the board at `to_version` again."""


@dataclass(frozen=True, slots=True)
class Change:
    """The changes of a board after version `from_version`, up to `to_version`; standings in order of version.

    `at_us` is the reading of the clock (`Event.reading_us`) of the newest event.
    """

    board: str
    kind: ChangeKind
    from_version: int
    to_version: int
    at_us: int
    standings: tuple[Standing, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of a board as people see it. Ranks are 1, 2, 3 …: there are no ties."""

    rank: int
    user_id: str
    name: str | None
    score: int
    reached_at_us: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A part of a board, exactly as it was after the event `version`; `players` counts all its listed players.

    `at_us` is as in `Change`.
    """

    board: str
    version: int
    at_us: int
    players: int
    entries: tuple[Entry, ...]


def order_key(standing: Standing) -> tuple[int, int]:
    """THE order of a board: score descending, then the version that reached it, ascending.

    Total, since no two standings of a board were reached by the same event. Neither clock nor collation takes part.
    """
    return (-standing.score, standing.reached_version)
