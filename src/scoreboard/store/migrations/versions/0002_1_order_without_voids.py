"""Recompute the order of players with voided events.

Programs of 0002 moved a player behind its equals at each void and unvoid. From 0002.1 on, the order is that
of the history without the events that are void now.

Each standing that moves gets an event, an adjustment by 0 points. It is in the audit log, ranking copies
fetch it, and clients see it as any other change. Programs of 0002 read it as an adjustment.
"""

import time
import uuid

import sqlalchemy as sa
from alembic import op

from scoreboard.store.migrations import APPLICATION_ID

revision = "0002.1"
down_revision = "0002"
branch_labels = None
depends_on = None

ACTOR = "scoreboard migrate"
REASON = "The order among equal scores is now the one without the events that are void."

_LOCK_BOARDS = sa.text(
    "SELECT pg_advisory_xact_lock(CAST(:application AS int), key) FROM (SELECT key FROM boards ORDER BY key) AS b"
)

_CORRECTED = sa.text(
    """
    SELECT s.board_key, s.player_key, s.score, s.reached_version
      FROM standings s
     WHERE s.period = 'all' AND (s.board_key, s.player_key) IN (
           SELECT board_key, player_key FROM score_events WHERE target_version IS NOT NULL)
     ORDER BY s.board_key, s.reached_version
    """
)

# The last event that counts and has points, or else the first one that counts, or else the first one.
_REACHED = sa.text(
    """
    SELECT version, at_us FROM (
           SELECT e.version, e.at_us, e.points,
                  coalesce((SELECT l.kind FROM score_events l
                             WHERE l.board_key + 0 = e.board_key AND l.target_version = e.version
                             ORDER BY l.version DESC LIMIT 1), '') = 'void' AS is_void
             FROM score_events e
            WHERE e.player_key = :player_key AND e.board_key + 0 = :board_key AND e.kind IN ('award', 'adjust')) AS own
     ORDER BY is_void, CASE WHEN is_void THEN version WHEN points = 0 THEN 0 ELSE -version END,
              version LIMIT 1
    """
)

_HEAD = sa.text("SELECT version, at_us FROM boards WHERE key = :board_key")
_MOVE_HEAD = sa.text("UPDATE boards SET version = :version, at_us = :at_us WHERE key = :board_key")
_MOVE_STANDING = sa.text(
    """
    UPDATE standings SET reached_version = :reached_version, reached_at_us = :reached_at_us, version = :version
     WHERE board_key = :board_key AND period = 'all' AND player_key = :player_key
    """
)
_EVENT = sa.text(
    """
    INSERT INTO score_events (board_key, version, event_id, kind, player_key, points, score, at_us)
    VALUES (:board_key, :version, :event_id, 'adjust', :player_key, 0, :score, :at_us)
    """
).bindparams(sa.bindparam("event_id", type_=sa.Uuid()))
_CORRECTION = sa.text(
    """
    INSERT INTO corrections (board_key, version, at_us, actor, reason)
    VALUES (:board_key, :version, :at_us, :actor, :reason)
    """
)


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        # Lock all boards, as a correction does: servers write no scores until this is committed.
        connection.execute(_LOCK_BOARDS, {"application": APPLICATION_ID})
    now_us = time.time_ns() // 1_000
    for standing in connection.execute(_CORRECTED).all():
        whose = {"board_key": standing.board_key, "player_key": standing.player_key}
        reached = connection.execute(_REACHED, whose).one()
        if reached.version == standing.reached_version:
            continue
        head = connection.execute(_HEAD, {"board_key": standing.board_key}).one()
        event = {
            **whose,
            "version": head.version + 1,
            "at_us": max(now_us, head.at_us),
            "score": standing.score,
        }
        connection.execute(_EVENT, {**event, "event_id": uuid.uuid4()})
        connection.execute(_CORRECTION, {**event, "actor": ACTOR, "reason": REASON})
        connection.execute(
            _MOVE_STANDING, {**event, "reached_version": reached.version, "reached_at_us": reached.at_us}
        )
        connection.execute(_MOVE_HEAD, event)
