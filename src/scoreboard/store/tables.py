"""The tables, the same for both databases. `migrations` creates them; a test compares the two.

Events and standings refer to a player by an integer key. The user id and name are only in `players`, so that
a player can be erased while the ledger stays complete. Triggers refuse every update or delete of
`score_events`, except that its provenance can be set to null. So that they can be erased, the actors and
reasons of corrections have their own table.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    false,
    func,
    text,
)

metadata: Final = MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "pk": "%(table_name)s_pkey",
    }
)

# In SQLite, only a column of exactly this type becomes the row id.
_player_key = BigInteger().with_variant(Integer(), "sqlite")

boards: Final = Table(
    "boards",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("version", BigInteger, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    # The definition (`definitions.to_text`). A program that does not know it refuses to start.
    Column("fold", Text, nullable=False, server_default="sum, descending"),
    # The open periods. Null: there is none yet, or the board has no such periods.
    Column("day", Text),
    Column("week", Text),
    Column("month", Text),
)

players: Final = Table(
    "players",
    metadata,
    Column("key", _player_key, primary_key=True),
    Column("user_id", Text, nullable=False, unique=True),
    Column("name", Text),
    Column("seq", BigInteger, nullable=False),
    Column("is_banned", Boolean, nullable=False, server_default=false()),
    Column("is_hidden", Boolean, nullable=False, server_default=false()),
    # True: an administrator has set the name, and submissions do not change it.
    Column("is_name_kept", Boolean, nullable=False, server_default=false()),
    Column("renames", BigInteger, nullable=False, server_default=text("0")),
)

score_events: Final = Table(
    "score_events",
    metadata,
    Column("board_key", Integer, ForeignKey(boards.c.key), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("event_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    # Null in rollovers.
    Column("player_key", _player_key, ForeignKey(players.c.key)),
    # Null in corrections: they do not count against the player's rate limit.
    Column("seq", BigInteger),
    Column("action_id", Text),
    Column("action_seq", BigInteger),
    Column("points", BigInteger, nullable=False),
    Column("score", BigInteger, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("idempotency_digest", Uuid),
    Column("proof_digest", Uuid),
    Column("target_version", BigInteger),
    # The provenance. It can only be set to null.
    Column("token_id", Text),
    Column("address_hash", BigInteger),
    Column("agent_hash", BigInteger),
    # The clock's reading if `at_us`, which never decreases on a board, is ahead of it. Null: the same as
    # `at_us`.
    Column("clock_us", BigInteger),
    # The actual kind, if programs of schema 0002 do not know it (`event_kinds`).
    Column("subkind", Text),
    # The values of an award next to its points.
    Column("column_1", BigInteger),
    Column("column_2", BigInteger),
    # Only in rollovers: the period that begins, and its first moment.
    Column("period", Text),
    Column("boundary_us", BigInteger),
    PrimaryKeyConstraint("board_key", "version"),
    # The rate limit: one look-up finds the time of the submission N ago.
    Index("score_events_seq", "player_key", "seq", unique=True),
    # The rules of an action: one look-up finds its last use and its count.
    Index("score_events_action", "player_key", "action_id", "action_seq", unique=True),
    sqlite_with_rowid=False,
)
Index(
    "score_events_idempotency",
    score_events.c.player_key,
    score_events.c.idempotency_digest,
    unique=True,
    sqlite_where=score_events.c.idempotency_digest.is_not(None),
    postgresql_where=score_events.c.idempotency_digest.is_not(None),
)

# Each proof counts once.
Index(
    "score_events_proof",
    score_events.c.proof_digest,
    unique=True,
    sqlite_where=score_events.c.proof_digest.is_not(None),
    postgresql_where=score_events.c.proof_digest.is_not(None),
)
# An event is void if the last event that targets it is a void.
Index(
    "score_events_target",
    score_events.c.target_version,
    score_events.c.board_key,
    score_events.c.version,
    sqlite_where=score_events.c.target_version.is_not(None),
    postgresql_where=score_events.c.target_version.is_not(None),
)

# Each period of a board begins once. Also the rollovers of a board.
Index(
    "score_events_period",
    score_events.c.board_key,
    score_events.c.period,
    unique=True,
    sqlite_where=score_events.c.period.is_not(None),
    postgresql_where=score_events.c.period.is_not(None),
)

READING_US: Final = func.coalesce(score_events.c.clock_us, score_events.c.at_us)
"""The clock's reading of an event."""

corrections: Final = Table(
    "corrections",
    metadata,
    Column("board_key", Integer, ForeignKey(boards.c.key), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    PrimaryKeyConstraint("board_key", "version"),
    # The audit log, in order.
    Index("corrections_order", "at_us", "board_key", "version"),
    sqlite_with_rowid=False,
)

standings: Final = Table(
    "standings",
    metadata,
    Column("board_key", Integer, ForeignKey(boards.c.key), nullable=False),
    Column("player_key", _player_key, ForeignKey(players.c.key), nullable=False),
    Column("period", Text, nullable=False),
    Column("score", BigInteger, nullable=False),
    Column("column_1", BigInteger),
    Column("column_2", BigInteger),
    # The order of the board (`domain.ordering`): in each of these columns, smaller integers rank first.
    Column("order_1", BigInteger, nullable=False),
    Column("order_2", BigInteger, nullable=False, server_default=text("0")),
    Column("order_3", BigInteger, nullable=False, server_default=text("0")),
    # The absolute value is the version of the event that reached the values.
    Column("tie_order", BigInteger, nullable=False),
    Column("reached_at_us", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("listed", Boolean, nullable=False),
    # The standings of a player lie together: a ban changes all of them.
    PrimaryKeyConstraint("board_key", "player_key", "period"),
    # Healing: what changed after a version.
    Index("standings_version", "board_key", "period", "version"),
    # Reads of a board in its order.
    Index(
        "standings_order",
        "board_key",
        "period",
        "listed",
        "order_1",
        "order_2",
        "order_3",
        "tie_order",
    ),
    sqlite_with_rowid=False,
)
