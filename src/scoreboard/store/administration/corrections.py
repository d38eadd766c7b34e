"""A correction's turn: the same statements for every dialect, each within one transaction that holds all boards."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from uuid import UUID

from sqlalchemy import Connection, insert, not_, select, update
from sqlalchemy.engine import Row

from scoreboard.domain.administration import MOST_TARGETS, Correct, Correction, CorrectionFacts, Target
from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.decisions import Decision
from scoreboard.domain.events import Event, EventKind
from scoreboard.domain.standings import Player, Standing
from scoreboard.store import reads
from scoreboard.store.kinds import stored_kind
from scoreboard.store.tables import READING_US, boards, corrections, players, score_events, standings
from scoreboard.store.voids import are_void, is_void, reached_after

FORGOTTEN = "(erased)"
"""Stands for the reason of a correction about a player who is erased: it may say who that was."""


def read_case(connection: Connection, correction: Correction, clock_us: int) -> CorrectionFacts:
    """All that decides about a correction."""
    heads = reads.heads(connection)
    named = _named(connection, correction)
    player = _player(connection, correction, named)
    targets: Sequence[Target] = ()
    if named is not None:
        targets = (named,)
    elif player is not None and correction.since_us is not None:
        targets = _since(connection, player.key, correction.since_us)
    return CorrectionFacts(
        at_us=clock_us,
        player=player,
        heads=heads,
        standings={} if player is None else standings_of(connection, [player]).get(player.key, {}),
        targets=targets,
        reached={} if player is None else reached_after(connection, correction.kind, player.key, targets),
        repeated=None if player is None else _repeated(connection, player, correction),
    )


def _player(connection: Connection, correction: Correction, named: Target | None) -> Player | None:
    if correction.target_version is None:
        whose = players.c.user_id == correction.user_id
    elif named is None:
        return None
    else:
        whose = players.c.key == named.event.player
    row = connection.execute(select(players).where(whose)).one_or_none()
    return None if row is None else player_of(row)


def player_of(row: Row[tuple[object, ...]]) -> Player:
    """A row of `players`."""
    return Player(
        row.key, row.user_id, row.name, row.seq, row.is_banned, row.is_hidden, row.is_name_kept, row.renames
    )


def standings_of(connection: Connection, whose: Iterable[Player]) -> Mapping[int, Mapping[str, Standing]]:
    """The standings of players, by their integer key and board."""
    known = {player.key: player for player in whose}
    rows = connection.execute(
        select(standings, boards.c.id.label("board"))
        .join(boards, boards.c.key == standings.c.board_key)
        .where(standings.c.player_key.in_(known), standings.c.period == ALL_TIME)
        .order_by(boards.c.key)
    )
    found: dict[int, dict[str, Standing]] = {}
    for row in rows:
        player = known[row.player_key]
        found.setdefault(player.key, {})[row.board] = Standing(
            player=player.key,
            user_id=player.user_id,
            name=player.name,
            score=row.score,
            reached_version=row.reached_version,
            reached_at_us=row.reached_at_us,
            version=row.version,
            seq=player.stamp,
            listed=row.listed,
        )
    return found


def _named(connection: Connection, correction: Correction) -> Target | None:
    if correction.target_version is None:
        return None
    row = connection.execute(
        select(score_events)
        .join(boards, boards.c.key == score_events.c.board_key)
        .where(boards.c.id == correction.board, score_events.c.version == correction.target_version)
    ).one_or_none()
    if row is None:
        return None
    assert correction.board is not None
    (is_void,) = are_void(connection, [row])
    return Target(reads.event_of(correction.board, row), is_void)


def _since(connection: Connection, player: int, since_us: int) -> Sequence[Target]:
    """Of awards that are not void, the oldest."""
    rows = connection.execute(
        select(score_events, boards.c.id.label("board"))
        .join(boards, boards.c.key == score_events.c.board_key)
        .where(
            score_events.c.player_key == player,
            score_events.c.seq.is_not(None),
            since_us <= READING_US,
            not_(is_void),
        )
        .order_by(score_events.c.seq)
        .limit(MOST_TARGETS)
    )
    return [Target(reads.event_of(row.board, row), is_void=False) for row in rows]


def _repeated(connection: Connection, player: Player, correction: Correction) -> Event | None:
    if correction.idempotency_digest is None:
        return None
    row = connection.execute(
        select(score_events, boards.c.id.label("board"))
        .join(boards, boards.c.key == score_events.c.board_key)
        .where(
            score_events.c.player_key == player.key,
            score_events.c.idempotency_digest.in_(
                (
                    correction.idempotency_digest,
                    *(UUID(bytes=digest) for digest in correction.earlier_digests),
                )
            ),
        )
    ).first()
    return None if row is None else reads.event_of(row.board, row)


def decide_batch(
    connection: Connection, correction: Correction, facts: CorrectionFacts, correct: Correct
) -> Decision:
    """Correct, and write what comes of it. Raises what `correct` does."""
    decision, player = correct(facts)
    if player is not None:
        _append(connection, correction, player, decision)
    return decision


def _append(connection: Connection, correction: Correction, player: Player, decision: Decision) -> None:
    keys = {board: key for board, key in connection.execute(select(boards.c.id, boards.c.key))}  # noqa: C416  # rows
    connection.execute(update(players).where(players.c.key == player.key).values(asdict(player)))
    if decision.events:
        connection.execute(
            insert(score_events), [_event_row(event, keys[event.board]) for event in decision.events]
        )
        connection.execute(
            insert(corrections),
            [
                {
                    "board_key": keys[event.board],
                    "version": event.version,
                    "at_us": event.at_us,
                    "actor": correction.actor,
                    "reason": correction.reason,
                }
                for event in decision.events
            ],
        )
    for board, newest in {event.board: event for event in decision.events}.items():
        connection.execute(
            update(boards).where(boards.c.id == board).values(version=newest.version, at_us=newest.at_us)
        )
    for change in decision.changes:
        for standing in change.standings:
            _put_standing(connection, keys[change.board], standing)
    if correction.kind is EventKind.ERASE:
        _forget(connection, player.key)


def _put_standing(connection: Connection, board_key: int, standing: Standing) -> None:
    place = {"board_key": board_key, "period": ALL_TIME, "player_key": standing.player}
    values = {
        "score": standing.score,
        "reached_version": standing.reached_version,
        "reached_at_us": standing.reached_at_us,
        "version": standing.version,
        "listed": standing.listed,
    }
    condition = [standings.c[name] == value for name, value in place.items()]
    if connection.execute(update(standings).where(*condition).values(values)).rowcount == 0:
        connection.execute(insert(standings).values(place | values))


def _event_row(event: Event, board_key: int) -> dict[str, object]:
    kind, subkind = stored_kind(event)
    return {
        "board_key": board_key,
        "version": event.version,
        "event_id": event.event_id,
        "kind": kind,
        "subkind": subkind,
        "player_key": event.player,
        "points": event.points,
        "score": event.score,
        "at_us": event.at_us,
        "idempotency_digest": event.idempotency_digest,
        "target_version": event.target_version,
        "clock_us": event.clock_us,
    }


def _forget(connection: Connection, player: int) -> None:
    """Where the player's events came from, and what is said in the reasons of corrections about it."""
    own = score_events.c.player_key == player
    connection.execute(
        update(score_events).where(own).values(token_id=None, address_hash=None, agent_hash=None)
    )
    about = select(1).where(
        own,
        score_events.c.kind != EventKind.ERASE,
        score_events.c.board_key == corrections.c.board_key,
        score_events.c.version == corrections.c.version,
    )
    connection.execute(update(corrections).where(about.exists()).values(reason=FORGOTTEN))
