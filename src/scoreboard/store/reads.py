"""What a store is asked, beside the commit: the same statements for every dialect, each within one transaction."""

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import ColumnElement, Connection, ScalarSelect, and_, func, select, text, update
from sqlalchemy.engine import Row

from scoreboard.domain.boards import ALL_TIME, Board
from scoreboard.domain.errors import SchemaError
from scoreboard.domain.events import Event, Head
from scoreboard.domain.standings import Change, ChangeKind, Entry, Snapshot, Standing
from scoreboard.domain.submissions import Provenance
from scoreboard.store.kinds import read_kind
from scoreboard.store.tables import boards, corrections, players, score_events, standings

# Two processes that start together both find a new board missing.
_ADD_BOARD: Final = text(
    "INSERT INTO boards (id, version, at_us) VALUES (:id, 0, 0) ON CONFLICT (id) DO NOTHING"
)


FOLD: Final = "sum, descending"
"""How this program makes a board of its events: points are added, and the highest score is first."""


def register_boards(connection: Connection, wanted: Sequence[Board]) -> Mapping[str, int]:
    """Make a row for each board that has none; the integer key of each board that there is.

    Raises SchemaError where a board is kept in another way, by a newer program: two ways would tear its history apart.
    """
    known = {board: fold for board, fold in connection.execute(select(boards.c.id, boards.c.fold))}  # noqa: C416  # rows
    for board in wanted:
        if known.get(board.id, FOLD) != FOLD:
            raise SchemaError(
                f"Board “{board.id}” is kept as “{known[board.id]}” in this database, and this program knows only "
                f"“{FOLD}”: start the program that made it, or name another board in the catalog."
            )
    new = [{"id": board.id} for board in wanted if board.id not in known]
    if new:
        connection.execute(_ADD_BOARD, new)
    return board_keys(connection)


def board_keys(connection: Connection) -> Mapping[str, int]:
    """The integer key of each board that there is."""
    return {board: key for board, key in connection.execute(select(boards.c.id, boards.c.key))}  # noqa: C416  # rows


_HEADS: Final = select(boards.c.id, boards.c.version, boards.c.at_us, score_events.c.clock_us).outerjoin(
    score_events, and_(score_events.c.board_key == boards.c.key, score_events.c.version == boards.c.version)
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


def write_nothing(connection: Connection) -> None:
    """Change a row and change it back, to check that writes work. (SQLite skips updates that change nothing.)"""
    first = boards.c.key == select(func.min(boards.c.key)).scalar_subquery()
    for step in (1, -1):
        connection.execute(update(boards).where(first).values(at_us=boards.c.at_us + step))


def _head(connection: Connection, board: str) -> Head:
    row = connection.execute(_HEADS.where(boards.c.id == board)).one()
    return Head(row.version, row.at_us, clock_us=row.clock_us)


def key_of(board: str) -> ScalarSelect[int]:
    """Return a board's key as a value. By a join instead, a database would not read in the order of an index."""
    return select(boards.c.key).where(boards.c.id == board).scalar_subquery()


def _of(board: str) -> ColumnElement[bool]:
    """Its standings."""
    return (standings.c.board_key == key_of(board)) & (standings.c.period == ALL_TIME)


def changes(connection: Connection, board: str, after: int, limit: int) -> Change:
    """One page of the standings that changed after a version: see `interfaces.Store.changes`."""
    head = _head(connection, board)
    rows = connection.execute(
        select(
            standings.c.player_key,
            players.c.user_id,
            players.c.name,
            standings.c.score,
            standings.c.reached_version,
            standings.c.reached_at_us,
            standings.c.version,
            players.c.seq + players.c.renames,
            standings.c.listed,
        )
        .select_from(standings)
        .join(players, players.c.key == standings.c.player_key)
        .where(_of(board), standings.c.version > after)
        .order_by(standings.c.version)
        .limit(limit)
    ).all()
    full = len(rows) == limit
    return Change(
        board=board,
        kind=ChangeKind.PAGE if full else ChangeKind.LAST_PAGE,
        from_version=after,
        to_version=rows[-1].version if full else head.version,
        at_us=head.reading_us,
        standings=tuple(Standing(*row) for row in rows),
    )


def page(connection: Connection, board: str, limit: int, offset: int) -> Snapshot:
    """A part of the board, and how many players it lists."""
    head = _head(connection, board)
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
        version=head.version,
        at_us=head.reading_us,
        players=total.scalar_one(),
        entries=tuple(Entry(rank, *row) for rank, row in enumerate(rows, start=offset + 1)),
    )


def events(connection: Connection, board: str, after: int, limit: int) -> Sequence[Event]:
    """A stretch of the ledger."""
    rows = connection.execute(
        select(score_events)
        .where(score_events.c.board_key == key_of(board), score_events.c.version > after)
        .order_by(score_events.c.version)
        .limit(limit)
    )
    return [event_of(board, row) for row in rows]


def newest(connection: Connection, board: str) -> Sequence[Event]:
    """The last event of a board; nothing where it has none, or where there is no such board."""
    head = heads(connection).get(board)
    return () if head is None else events(connection, board, head.version - 1, 1)


def event_of(board: str, row: Row[tuple[object, ...]]) -> Event:
    """A row of the ledger."""
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
