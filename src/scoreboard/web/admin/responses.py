"""Responses of `/api/admin/…`, each made from a value of the domain."""

import operator
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import ConfigDict, Field

from scoreboard.domain.administration import (
    EventCursor,
    LedgerRecord,
    PlayerStandings,
    Suspect,
    SuspicionThresholds,
)
from scoreboard.services.administer import CorrectionResult, reasons
from scoreboard.web.schemas.fields import Schema


class Response(Schema):
    """A response, which is made by the names of its fields."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)


class CorrectedResponse(Response):
    """The events of a correction. There are none if it changes nothing."""

    events: Annotated[int, Field(description="The number of new events.")]
    versions: Annotated[dict[str, int], Field(description="The new version of each changed board.")]

    @classmethod
    def of(cls, corrected: CorrectionResult) -> Self:
        return cls(events=corrected.events, versions=dict(corrected.versions))


class StandingResponse(Response):
    """A player's standing on a board."""

    board: str
    score: int
    listed: bool
    version: Annotated[int, Field(description="The version of the player's last event on this board.")]


Flag = Annotated[bool, Field(description="True, or absent.", exclude_if=operator.not_)]


class PlayerResponse(Response):
    """A player, with the standings."""

    user_id: str
    name: str | None
    is_banned: bool
    is_hidden: Flag = False
    """True if the player is not on the boards. Submissions count."""
    is_name_kept: Flag = False
    """True if submissions do not change the name."""
    submissions: Annotated[int, Field(description="The number of accepted submissions on all boards.")]
    standings: list[StandingResponse]

    @classmethod
    def of(cls, found: PlayerStandings) -> Self:
        player, standings = found
        return cls(
            user_id=player.user_id,
            name=player.name,
            is_banned=player.is_banned,
            is_hidden=player.is_hidden,
            is_name_kept=player.is_name_kept,
            submissions=player.seq,
            standings=[
                StandingResponse(board=board, score=s.score, listed=s.listed, version=s.version)
                for board, s in standings.items()
            ],
        )


class PlayersResponse(Response):
    """The players that a search found."""

    players: list[PlayerResponse]


class RecordResponse(Response):
    """An event of the ledger."""

    event_id: UUID
    board: str
    version: int
    kind: str
    user_id: Annotated[str | None, Field(description="Null if the player was erased.")]
    action_id: str | None
    points: int
    score: Annotated[int, Field(description="The player's score on the board after the event.")]
    at: datetime
    is_void: bool
    target_version: Annotated[int | None, Field(description="The event that is voided or restored.")]
    actor: Annotated[str | None, Field(description="The administrator who made the correction.")]
    reason: str | None
    token_id: str | None
    address: Annotated[str | None, Field(description="A keyed hash, equal for the same client address.")]
    agent: Annotated[str | None, Field(description="A keyed hash, equal for the same user agent.")]

    @classmethod
    def of(cls, record: LedgerRecord) -> Self:
        event = record.event
        return cls(
            event_id=event.event_id,
            board=event.board,
            version=event.version,
            kind=event.kind,
            user_id=record.known_user_id,
            action_id=event.action_id,
            points=event.points,
            score=event.score,
            at=datetime.fromtimestamp(event.reading_us / 1_000_000, UTC),
            is_void=record.is_void,
            target_version=event.target_version,
            actor=record.actor,
            reason=record.reason,
            token_id=event.provenance.token_id,
            address=_hex(event.provenance.address_hash),
            agent=_hex(event.provenance.agent_hash),
        )


def _hex(hash: int | None) -> str | None:
    """Return a hash as text: not every JSON parser keeps 64 bits of a number."""
    return None if hash is None else f"{hash % 2**64:016x}"


class RecordsResponse(Response):
    """A page of events, newest first."""

    events: list[RecordResponse]
    next: Annotated[str | None, Field(description="`before` of the next page; null on the last page.")]

    @classmethod
    def of(cls, records: Sequence[LedgerRecord], limit: int) -> Self:
        last = records[-1].event if len(records) == limit else None
        return cls(
            events=[RecordResponse.of(record) for record in records],
            next=None if last is None else f"{last.at_us}-{last.version}-{last.board}",
        )


def read_cursor(text: str | None) -> EventCursor | None:
    """Read a `next` of `RecordsResponse`. Its form has been checked (`requests.CURSOR`)."""
    if text is None:
        return None
    at_us, version, board = text.split("-", 2)
    return EventCursor(int(at_us), board, int(version))


class SuspectResponse(Response):
    """A player with suspicious figures."""

    user_id: str
    name: str | None
    reasons: list[str]
    awards: int
    points: int
    most_an_hour: int
    interval_seconds: float | None
    irregularity: float | None
    players_behind_address: int


class SuspectsResponse(Response):
    """Players with suspicious figures. The server does nothing about them."""

    suspects: list[SuspectResponse]

    @classmethod
    def of(cls, suspects: Sequence[Suspect], thresholds: SuspicionThresholds) -> Self:
        return cls(suspects=[SuspectResponse(**asdict(s), reasons=reasons(s, thresholds)) for s in suspects])
