"""Reads of heads, standings and the ledger: the same in both databases, each in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Final

from sqlalchemy import ColumnElement, Connection, Select, and_, func, select
from sqlalchemy.engine import Row

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.events import Event, Head
from scoreboard.domain.standings import Change, ChangeKind, Entry, Snapshot, Standing
from scoreboard.domain.submissions import Provenance
from scoreboard.store.boards import key_of
from scoreboard.store.event_kinds import read_kind
from scoreboard.store.tables import boards, corrections, players, score_events, standings

_HEADS: Final = select(boards.c.id, boards.c.version, boards.c.at_us, score_events.c.clock_us).outerjoin(
    score_events, and_(score_events.c.board_key == boards.c.key, score_events.c.version == boards.c.version)
)

EVENTS: Final[Select[tuple[object, ...]]] = select(score_events, boards.c.id.label("board")).join(
    boards, boards.c.key == score_events.c.board_key
)
"""Selects events, with the ids of their boards."""

_STANDING_COLUMNS: Final = tuple(
    field.name for field in fields(Standing) if field.name not in {"columns", "period"}
)


def heads(connection: Connection) -> Mapping[str, Head]:
    """Return the head of each board, with the version of its newest correction."""
    # The end of a primary key: one index lookup per board.
    newest = (
        select(func.max(corrections.c.version))
        .where(corrections.c.board_key == boards.c.key)
        .scalar_subquery()
    )
    found = connection.execute(_HEADS.add_columns(newest.label("corrected")))
    return {row.id: Head(row.version, row.at_us, row.corrected or 0, row.clock_us) for row in found}


def head(connection: Connection, board: str) -> Head:
    """Return the head of a board, without the version of its newest correction."""
    row = connection.execute(_HEADS.where(boards.c.id == board)).one()
    return Head(row.version, row.at_us, clock_us=row.clock_us)


def _of(board: str) -> ColumnElement[bool]:
    """Return the condition for the standings of a board."""
    return (standings.c.board_key == key_of(board)) & (standings.c.period == ALL_TIME)


def changes(connection: Connection, board: str, after: int, limit: int) -> Change:
    """Return a page of the standings that changed after a version: see `ports.Store.changes`."""
    newest = head(connection, board)
    found = connection.execute(
        select(
            standings,
            standings.c.player_key.label("player"),
            players.c.user_id,
            players.c.name,
            (players.c.seq + players.c.renames).label("name_version"),
        )
        .select_from(standings)
        .join(players, players.c.key == standings.c.player_key)
        .where(_of(board), standings.c.version > after)
        .order_by(standings.c.version)
        .limit(limit)
    )
    # Attributes of rows are too slow for thousands of them.
    changed = tuple(Standing(*values) for values in found.columns(*_STANDING_COLUMNS))
    is_full = len(changed) == limit
    return Change(
        board=board,
        kind=ChangeKind.PAGE if is_full else ChangeKind.LAST_PAGE,
        from_version=after,
        to_version=changed[-1].version if is_full else newest.version,
        reading_us=newest.reading_us,
        standings=changed,
    )


def page(connection: Connection, board: str, limit: int, offset: int) -> Snapshot:
    """Return a page of a board, and the number of its listed players."""
    newest = head(connection, board)
    listed = _of(board) & standings.c.listed
    total = connection.execute(select(func.count()).select_from(standings).where(listed))
    rows = connection.execute(
        select(players.c.user_id, players.c.name, standings.c.score, standings.c.reached_at_us)
        .select_from(standings)
        .join(players, players.c.key == standings.c.player_key)
        .where(listed)
        .order_by(standings.c.score.desc(), standings.c.reached_version)
        .limit(limit)
        .offset(offset)
    )
    return Snapshot(
        board=board,
        version=newest.version,
        reading_us=newest.reading_us,
        players=total.scalar_one(),
        entries=tuple(
            Entry(rank, row.user_id, row.name, row.score, row.reached_at_us)
            for rank, row in enumerate(rows, start=offset + 1)
        ),
    )


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
        player=row.player_key,
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
    )
