"""Reads of heads and of the ledger: the same in both databases, each in one transaction."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Select, and_, func, select
from sqlalchemy.engine import Row

from scoreboard.domain.events import NO_PLAYER, Event, Head
from scoreboard.domain.rollovers import KINDS
from scoreboard.domain.submissions import Provenance
from scoreboard.store.boards import key_of
from scoreboard.store.event_kinds import read_kind
from scoreboard.store.rows import columns_of
from scoreboard.store.tables import boards, corrections, score_events

_HEADS: Final = select(
    boards.c.id,
    boards.c.version,
    boards.c.at_us,
    *(boards.c[kind] for kind in KINDS),
    score_events.c.clock_us,
).outerjoin(
    score_events, and_(score_events.c.board_key == boards.c.key, score_events.c.version == boards.c.version)
)

EVENTS: Final[Select[tuple[object, ...]]] = select(score_events, boards.c.id.label("board")).join(
    boards, boards.c.key == score_events.c.board_key
)
"""Selects events, with the ids of their boards."""


def heads(connection: Connection) -> Mapping[str, Head]:
    """Return the head of each board, with the version of its newest correction."""
    # The end of a primary key: one index lookup per board.
    newest = (
        select(func.max(corrections.c.version))
        .where(corrections.c.board_key == boards.c.key)
        .scalar_subquery()
    )
    found = connection.execute(_HEADS.add_columns(newest.label("corrected")))
    return {row.id: _head(row, row.corrected or 0) for row in found}


def head(connection: Connection, board: str) -> Head:
    """Return the head of a board, without the version of its newest correction."""
    return _head(connection.execute(_HEADS.where(boards.c.id == board)).one())


def _head(row: Any, corrected: int = 0) -> Head:
    periods = {kind: period for kind in KINDS if (period := getattr(row, kind)) is not None}
    return Head(row.version, row.at_us, corrected, row.clock_us, periods)


def events(connection: Connection, board: str, after: int, limit: int) -> Sequence[Event]:
    """Return the events of a board after a version, in order."""
    rows = connection.execute(
        select(score_events)
        .where(score_events.c.board_key == key_of(board), score_events.c.version > after)
        .order_by(score_events.c.version)
        .limit(limit)
    )
    return [event_of(board, row) for row in rows]


def event_at(connection: Connection, board_key: int, version: int) -> Event:
    """Return the event of the board with this integer key that has this version."""
    is_it = (score_events.c.board_key == board_key) & (score_events.c.version == version)
    row = connection.execute(EVENTS.where(is_it)).one()
    return event_of(row.board, row)


def newest_events(connection: Connection, board: str | None = None) -> Sequence[Event]:
    """Return the last event of a board, or of each board. A board that has none is left out."""
    return [
        event
        for known, its_head in heads(connection).items()
        if board is None or board == known
        for event in events(connection, known, its_head.version - 1, 1)
    ]


def event_of(board: str, row: Row[tuple[object, ...]]) -> Event:
    """Build an event from a row of `score_events`."""
    kind, hides = read_kind(row.kind, row.subkind)
    return Event(
        event_id=row.event_id,
        board=board,
        version=row.version,
        player=NO_PLAYER if row.player_key is None else row.player_key,
        kind=kind,
        seq=row.seq,
        action_id=row.action_id,
        action_seq=row.action_seq,
        points=row.points,
        score=row.score,
        at_us=row.at_us,
        idempotency_digest=row.idempotency_digest,
        proof_digest=row.proof_digest,
        target_version=row.target_version,
        provenance=Provenance(row.token_id, row.address_hash, row.agent_hash),
        clock_us=row.clock_us,
        hides=hides,
        columns=columns_of(row.column_1, row.column_2),
        period=row.period,
        boundary_us=row.boundary_us,
    )
