"""Submissions: a user's completed action on its way to the ledger, who sends it, and its proof."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from scoreboard.domain.boards import Action
from scoreboard.domain.digests import Digest


@dataclass(frozen=True, slots=True)
class Caller:
    """The sender of a request: the subject, name, scopes and id of the verified token."""

    user_id: str
    name: str | None = None
    scopes: frozenset[str] = frozenset()
    token_id: str | None = None


@dataclass(frozen=True, slots=True)
class Provenance:
    """What the ledger keeps about the sender of a submission. The hashes are keyed (`digests.keyed_hash`)."""

    token_id: str | None = None
    address_hash: int | None = None
    agent_hash: int | None = None


NO_PROVENANCE: Final = Provenance()


@dataclass(frozen=True, slots=True)
class Proof:
    """A trusted server's statement that a user has completed an action, with its points and columns if it
    states any.

    It counts once. An expired proof is accepted only in a repeat of a submission that was accepted before.
    """

    user_id: str
    action_id: str
    digest: Digest
    points: int | None = None
    is_expired: bool = False
    columns: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True)
class SubmissionRequest:
    """What a caller asks for: the user, the completed action, and what a trusted server states about both.

    With a `period`, the submission is refused unless that period is open.
    """

    action_id: str
    user_id: str
    points: int | None = None
    name: str | None = None
    proof: Proof | None = None
    columns: Mapping[str, int] | None = None
    period: str | None = None


@dataclass(frozen=True, slots=True)
class Submission:
    """A completed action of a user, to be counted.

    `event_id` is generated before the commit, so that the event can be looked up if the connection is lost
    during it. `key` is the digest of the idempotency key and its sender. `stated_points` and `stated_columns`
    are those of the request or its proof.
    """

    event_id: UUID
    user_id: str
    name: str | None
    action: Action
    key: Digest | None = None
    stated_points: int | None = None
    proof: Proof | None = None
    provenance: Provenance = NO_PROVENANCE
    stated_columns: Mapping[str, int] | None = None
    period: str | None = None

    @property
    def board(self) -> str:
        return self.action.board

    @property
    def points(self) -> int:
        """The points that it counts: those that are stated, or else the catalog's."""
        points = self.action.points if self.stated_points is None else self.stated_points
        assert points is not None, "request_checks requires points"
        return points

    @property
    def columns(self) -> tuple[int, ...]:
        """The values that it has for the columns of its board."""
        if not self.action.columns:
            return ()
        stated = self.stated_columns or {}
        columns = (stated.get(column.id, column.value) for column in self.action.columns)
        known = tuple(value for value in columns if value is not None)
        assert len(known) == len(self.action.columns), "request_checks requires columns"
        return known
