"""Checks of what a caller may submit, made before the submission reaches the store."""

from collections.abc import Mapping
from uuid import UUID

from scoreboard.domain.boards import Action
from scoreboard.domain.digests import Digest
from scoreboard.domain.errors import (
    ActionByServer,
    ColumnOutOfRange,
    ColumnRequired,
    InsufficientScope,
    NameNotYours,
    NotYourScore,
    PointsNotYours,
    PointsOutOfRange,
    PointsRequired,
    ProofInvalid,
    ProofRequired,
    UnknownColumn,
)
from scoreboard.domain.scopes import WRITE_ANY_SCORES, WRITE_SCORES
from scoreboard.domain.submissions import NO_PROVENANCE, Caller, Provenance, Submission, SubmissionRequest


def make_submission(
    caller: Caller,
    request: SubmissionRequest,
    action: Action,
    *,
    event_id: UUID,
    key: Digest | None = None,
    provenance: Provenance = NO_PROVENANCE,
) -> Submission:
    """Check a request, and return its submission.

    The name comes from the player's own token, or from a trusted server. `key` is the digest of the
    idempotency key. Raises NotYourScore, InsufficientScope, ActionByServer,
    PointsNotYours, NameNotYours, ProofRequired, ProofInvalid, and the errors of `_check_points` and
    `_check_columns`.
    """
    points, columns, proof = request.points, request.columns, request.proof
    own = caller.user_id == request.user_id
    if WRITE_ANY_SCORES not in caller.scopes:
        _check_player(caller, request, action)
    if proof is not None:
        if (proof.user_id, proof.action_id) != (request.user_id, action.id):
            raise ProofInvalid
        points = proof.points if points is None else points
        columns = columns or proof.columns
    _check_points(action, points)
    if columns or action.columns:
        _check_columns(action, columns or {})
    return Submission(
        event_id=event_id,
        user_id=request.user_id,
        name=request.name or (caller.name if own else None),
        action=action,
        key=key,
        stated_points=points,
        proof=proof,
        provenance=provenance,
        stated_columns=columns,
        period=request.period,
    )


def _check_player(caller: Caller, request: SubmissionRequest, action: Action) -> None:
    """Check that a caller who is not a trusted server may make a request."""
    if caller.user_id != request.user_id:
        raise NotYourScore
    if WRITE_SCORES not in caller.scopes:
        raise InsufficientScope(WRITE_SCORES)
    if not action.for_players:
        raise ActionByServer
    if request.points is not None or request.columns:
        raise PointsNotYours
    if request.name is not None:
        raise NameNotYours
    if action.needs_proof and request.proof is None:
        raise ProofRequired


def _check_points(action: Action, points: int | None) -> None:
    """Raise PointsRequired or PointsOutOfRange."""
    if points is None:
        if action.points is None:
            raise PointsRequired
    elif not _is_allowed(points, action.points, action.points_range):
        raise PointsOutOfRange(*(action.points_range or (action.points, action.points)))


def _check_columns(action: Action, columns: Mapping[str, int]) -> None:
    """Raise UnknownColumn, ColumnRequired or ColumnOutOfRange."""
    if unknown := columns.keys() - {column.id for column in action.columns}:
        raise UnknownColumn(min(unknown))
    for column in action.columns:
        value = columns.get(column.id, column.value)
        if value is None:
            raise ColumnRequired(column.id)
        if not _is_allowed(value, column.value, column.range):
            raise ColumnOutOfRange(column.id, *(column.range or (column.value, column.value)))


def _is_allowed(value: int, default: int | None, limits: tuple[int, int] | None) -> bool:
    return value == default if limits is None else limits[0] <= value <= limits[1]
