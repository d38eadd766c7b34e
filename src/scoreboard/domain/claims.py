"""Checks of what a caller may submit, made before the submission reaches the store."""

from uuid import UUID

from scoreboard.domain.boards import Action
from scoreboard.domain.digests import Digest
from scoreboard.domain.errors import (
    ActionByServer,
    InsufficientScope,
    NameNotYours,
    NotYourScore,
    PointsNotYours,
    PointsOutOfRange,
    ProofInvalid,
    ProofRequired,
)
from scoreboard.domain.scopes import WRITE_ANY_SCORES, WRITE_SCORES
from scoreboard.domain.submissions import NO_PROVENANCE, Caller, Claim, Provenance, Submission


def check_claim(
    caller: Caller,
    claim: Claim,
    action: Action,
    *,
    event_id: UUID,
    digest: Digest | None = None,
    provenance: Provenance = NO_PROVENANCE,
) -> Submission:
    """Check that a caller may submit a claim. The name comes from the player's own token, or from a trusted server.

    `digest` is that of the idempotency key. Raises NotYourScore, InsufficientScope, ActionByServer, PointsNotYours,
    NameNotYours, PointsOutOfRange, ProofRequired and ProofInvalid.
    """
    points, proof = claim.points, claim.proof
    own = caller.user_id == claim.user_id
    if WRITE_ANY_SCORES not in caller.scopes:
        if not own:
            raise NotYourScore
        if WRITE_SCORES not in caller.scopes:
            raise InsufficientScope(WRITE_SCORES)
        if not action.for_players:
            raise ActionByServer
        if points is not None:
            raise PointsNotYours
        if claim.name is not None:
            raise NameNotYours
        if action.needs_proof and proof is None:
            raise ProofRequired
    if proof is not None:
        if (proof.user_id, proof.action_id) != (claim.user_id, action.id):
            raise ProofInvalid
        points = proof.points if points is None else points
    _check_points(action, points)
    return Submission(
        event_id=event_id,
        user_id=claim.user_id,
        name=claim.name or (caller.name if own else None),
        action=action,
        idempotency_digest=None if digest is None else digest.current,
        given_points=points,
        proof_digest=None if proof is None else proof.digest,
        is_proof_expired=proof is not None and proof.is_expired,
        provenance=provenance,
        earlier_digests=() if digest is None else digest.earlier,
        earlier_proof_digests=() if proof is None else proof.earlier_digests,
    )


def _check_points(action: Action, points: int | None) -> None:
    if points is None:
        return
    least, most = action.points_range or (action.points, action.points)
    if not least <= points <= most:
        raise PointsOutOfRange(least, most)
