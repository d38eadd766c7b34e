"""What a commit reads and writes in SQLite. A batch travels as one JSON array, so each is executed once a batch.

That matters: sqlite3 lets go of Python's global lock at every step, and beside a busy event loop each way back costs
up to a switch interval.
"""

import json
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, TextClause, text

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.decisions import Decision, SubmissionFacts
from scoreboard.domain.events import Event
from scoreboard.domain.submissions import Submission
from scoreboard.store.facts import make_facts
from scoreboard.store.kinds import HIDES
from scoreboard.store.rejected_content import BoardMissing

FACTS: Final = text(
    f"""
    SELECT p.key, (SELECT max(key) FROM players), h.key,
           h.version, h.at_us,
           CASE WHEN h.at_us > :clock_us THEN (
                   SELECT clock_us FROM score_events n WHERE n.board_key = h.key AND n.version = h.version) END,
           p.name, p.seq, p.is_banned, p.is_hidden, p.is_name_kept, p.renames,
           s.score, s.reached_version, s.reached_at_us, s.version, s.listed,
           u.action_seq, coalesce(u.clock_us, u.at_us),
           (SELECT coalesce(clock_us, at_us) FROM score_events d
             WHERE d.player_key = p.key AND d.action_id = u.action_id
               AND d.action_seq = u.action_seq + 1 - json_extract(b.value, '$[4]')),
           json_extract(b.value, '$[5]') IS NOT NULL AND EXISTS (
                   SELECT 1 FROM score_events q
                    WHERE q.player_key = p.key AND q.action_id = json_extract(b.value, '$[5]')),
           EXISTS (
                   SELECT 1 FROM json_each(b.value, '$[6]') g
                    CROSS JOIN score_events f WHERE f.proof_digest = g.value),
           (SELECT coalesce(clock_us, at_us) FROM score_events w
             WHERE w.player_key = p.key AND w.seq = p.seq + 1 - :limit_count),
           r.event_id, o.id, r.version, r.kind, r.seq, r.action_id, r.action_seq, r.points, r.score, r.at_us, r.clock_us
      FROM json_each(:batch) b
      JOIN boards h ON h.id = json_extract(b.value, '$[1]')
      LEFT JOIN players p ON p.user_id = json_extract(b.value, '$[0]')
      LEFT JOIN standings s ON s.board_key = h.key AND s.period = '{ALL_TIME}' AND s.player_key = p.key
      LEFT JOIN score_events u ON u.player_key = p.key AND u.action_id = json_extract(b.value, '$[2]')
            AND u.action_seq = (SELECT max(action_seq) FROM score_events l
                                 WHERE l.player_key = p.key AND l.action_id = json_extract(b.value, '$[2]'))
      LEFT JOIN score_events r ON r.player_key = p.key AND r.idempotency_digest = (
                SELECT k.idempotency_digest FROM json_each(b.value, '$[3]') g
                 CROSS JOIN score_events k WHERE k.player_key = p.key AND k.idempotency_digest = g.value LIMIT 1)
      LEFT JOIN boards o ON o.key = r.board_key
     ORDER BY b.key
    """
)
"""`batch`: [[user id, board id, action id, idempotency digests, daily maximum or null, required action or null, proof
digests], …] → one row each, in their order."""

PUT_PLAYERS: Final = text(
    """
    INSERT INTO players (key, user_id, name, seq)
    SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
           json_extract(value, '$[3]')
      FROM json_each(:rows) WHERE true
    ON CONFLICT (key) DO UPDATE SET name = excluded.name, seq = excluded.seq
    """
)

APPEND_EVENTS: Final = text(
    """
    INSERT INTO score_events (board_key, version, event_id, kind, player_key, seq, action_id, action_seq,
                              points, score, at_us, idempotency_digest, proof_digest, token_id, address_hash,
                              agent_hash, clock_us, subkind)
    SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
           json_extract(value, '$[3]'), json_extract(value, '$[4]'), json_extract(value, '$[5]'),
           json_extract(value, '$[6]'), json_extract(value, '$[7]'), json_extract(value, '$[8]'),
           json_extract(value, '$[9]'), json_extract(value, '$[10]'), json_extract(value, '$[11]'),
           json_extract(value, '$[12]'), json_extract(value, '$[13]'), json_extract(value, '$[14]'),
           json_extract(value, '$[15]'), json_extract(value, '$[16]'), json_extract(value, '$[17]')
      FROM json_each(:rows)
    """
)

PUT_STANDINGS: Final = text(
    f"""
    INSERT INTO standings (board_key, period, player_key, score, reached_version, reached_at_us, version, listed)
    SELECT json_extract(value, '$[0]'), '{ALL_TIME}', json_extract(value, '$[1]'), json_extract(value, '$[2]'),
           json_extract(value, '$[3]'), json_extract(value, '$[4]'), json_extract(value, '$[5]'),
           json_extract(value, '$[6]')
      FROM json_each(:rows) WHERE true
    ON CONFLICT (board_key, period, player_key) DO UPDATE SET
           score = excluded.score, reached_version = excluded.reached_version, reached_at_us = excluded.reached_at_us,
           version = excluded.version, listed = excluded.listed
    """
)

MOVE_BOARDS: Final = text("UPDATE boards SET version = :version, at_us = :at_us WHERE id = :board")

FIND_EVENT: Final = text(
    """
    SELECT 1 FROM score_events e JOIN boards h ON h.key = e.board_key
     WHERE h.id = :board AND e.version = :version AND e.event_id = :event_id
    """
)


def read_facts(
    connection: Connection,
    batch: Sequence[Submission],
    board_keys: Mapping[str, int],
    limit_count: int,
    clock_us: int,
) -> list[SubmissionFacts]:
    """Return the facts of a batch, in its order. A new player gets the next free integer key, since the file is locked.

    Raises BoardMissing.
    """
    keys = [
        (
            s.user_id,
            s.board,
            s.action.id,
            s.all_digests,
            s.action.max_per_day,
            s.action.requires,
            s.all_proof_digests,
        )
        for s in batch
    ]
    rows = connection.execute(
        FACTS, {"batch": json.dumps(keys), "limit_count": limit_count, "clock_us": clock_us}
    ).all()
    # After the restore of a backup, a key may belong to another board.
    if [row[2] for row in rows] != [board_keys.get(submission.board) for submission in batch]:
        raise BoardMissing
    new_keys = count((rows[0][1] or 0) + 1)
    return [
        make_facts(row[3:], submission, clock_us, next(new_keys) if row[0] is None else row[0])
        for row, submission in zip(rows, batch, strict=True)
    ]


def append(connection: Connection, decision: Decision, board_keys: Mapping[str, int]) -> None:
    """Write what a batch came to: players, ledger, standings, heads."""
    seqs = {event.player: event.seq for event in decision.events}
    newest = {event.board: event for event in decision.events}
    standings = [(board_keys[change.board], s) for change in decision.changes for s in change.standings]
    _put(connection, PUT_PLAYERS, [(s.player, s.user_id, s.name, seqs[s.player]) for _, s in standings])
    _put(connection, APPEND_EVENTS, [_event_row(e, board_keys[e.board]) for e in decision.events])
    _put(
        connection,
        PUT_STANDINGS,
        [
            (key, s.player, s.score, s.reached_version, s.reached_at_us, s.version, int(s.listed))
            for key, s in standings
        ],
    )
    for board, event in newest.items():
        connection.execute(MOVE_BOARDS, {"version": event.version, "at_us": event.at_us, "board": board})


def _put(connection: Connection, statement: TextClause, rows: Sequence[Sequence[object]]) -> None:
    connection.execute(statement, {"rows": json.dumps(rows)})


def _event_row(event: Event, board_key: int) -> tuple[object, ...]:
    return (
        board_key,
        event.version,
        event.event_id.hex,
        event.kind,
        event.player,
        event.seq,
        event.action_id,
        event.action_seq,
        event.points,
        event.score,
        event.at_us,
        _hex(event.idempotency_digest),
        _hex(event.proof_digest),
        event.provenance.token_id,
        event.provenance.address_hash,
        event.provenance.agent_hash,
        event.clock_us,
        HIDES if event.hides else None,
    )


def _hex(digest: UUID | None) -> str | None:
    return None if digest is None else digest.hex


def is_in_ledger(connection: Connection, event: Event) -> bool:
    """Whether that very event was committed."""
    found = connection.execute(
        FIND_EVENT, {"board": event.board, "version": event.version, "event_id": event.event_id.hex}
    )
    return found.first() is not None
