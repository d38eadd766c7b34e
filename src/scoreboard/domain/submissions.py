"""Submissions: who asks for an action to be counted, and with which proof."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from scoreboard.domain.boards import Action


@dataclass(frozen=True, slots=True)
class Caller:
    """Who stands behind a request: the verified token's subject, what it may do, and the token's own id."""

    user_id: str
    name: str | None = None
    scopes: frozenset[str] = frozenset()
    token_id: str | None = None


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a submission came from. The hashes are keyed: alike for the same client, and of no use to anybody else."""

    token_id: str | None = None
    address_hash: int | None = None
    agent_hash: int | None = None


NO_PROVENANCE: Final = Provenance()


@dataclass(frozen=True, slots=True)
class Proof:
    """A trusted server's word that a user has completed an action, maybe with what it was worth. It counts once."""

    user_id: str
    action_id: str
    digest: UUID
    points: int | None = None
    is_expired: bool = False
    earlier_digests: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Claim:
    """What a request says: a user has completed an action, for so many points if the action has a range of them."""

    action_id: str
    user_id: str
    points: int | None = None
    name: str | None = None
    proof: Proof | None = None


@dataclass(frozen=True, slots=True)
class Submission:
    """A user's claim to have completed an action, on its way to the ledger.

    `event_id` is made before the commit, so that an event can be looked up when a commit's answer is lost.
    `idempotency_digest` stands for submitter and key together: keys of two submitters never meet. `proof_digest` stands
    for its proof, if it has one. If the proof has expired, only a repeat is accepted. Both may be in
    the ledger under an earlier digest (`digests.Digest`).
    """

    event_id: UUID
    user_id: str
    name: str | None
    action: Action
    idempotency_digest: UUID | None = None
    given_points: int | None = None
    proof_digest: UUID | None = None
    is_proof_expired: bool = False
    provenance: Provenance = NO_PROVENANCE
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
