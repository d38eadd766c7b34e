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
from scoreboard.domain.submissions import NO_PROVENANCE, Caller, Provenance, Submission, SubmissionRequest


def check_request(
    caller: Caller,
    request: SubmissionRequest,
    action: Action,
    *,
    event_id: UUID,
    key: Digest | None = None,
    provenance: Provenance = NO_PROVENANCE,
) -> Submission:
    """Check a request. The name comes from the player's own token, or from a trusted server.

    `key` is the digest of the idempotency key. Raises NotYourScore, InsufficientScope, ActionByServer,
    PointsNotYours, NameNotYours, PointsOutOfRange, ProofRequired and ProofInvalid.
    """
    points, proof = request.points, request.proof
    own = caller.user_id == request.user_id
    if WRITE_ANY_SCORES not in caller.scopes:
        if not own:
            raise NotYourScore
        if WRITE_SCORES not in caller.scopes:
            raise InsufficientScope(WRITE_SCORES)
        if not action.for_players:
            raise ActionByServer
        if points is not None:
            raise PointsNotYours
        if request.name is not None:
            raise NameNotYours
        if action.needs_proof and proof is None:
            raise ProofRequired
    if proof is not None:
        if (proof.user_id, proof.action_id) != (request.user_id, action.id):
            raise ProofInvalid
        points = proof.points if points is None else points
    _check_points(action, points)
    return Submission(
        event_id=event_id,
        user_id=request.user_id,
        name=request.name or (caller.name if own else None),
        action=action,
        key=key,
        stated_points=points,
        proof=proof,
        provenance=provenance,
    )


def _check_points(action: Action, points: int | None) -> None:
    if points is None:
        return
    least, most = action.points_range or (action.points, action.points)
    if not least <= points <= most:
        raise PointsOutOfRange(least, most)
