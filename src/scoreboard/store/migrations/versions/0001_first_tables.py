"""Create boards, players, the ledger and the standings."""

import sqlalchemy as sa
from alembic import op

from scoreboard.store.migrations import APPLICATION_ID

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_player_key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# Ids are compared byte by byte, on every machine and after every upgrade of its locales.
_id = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "boards",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("id", _id, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="boards_pkey"),
        sa.UniqueConstraint("id", name="boards_id_key"),
    )
    op.create_table(
        "players",
        sa.Column("key", _player_key, nullable=False),
        sa.Column("user_id", _id, nullable=False),
        sa.Column("name", sa.Text()),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="players_pkey"),
        sa.UniqueConstraint("user_id", name="players_user_id_key"),
    )
    op.create_table(
        "score_events",
        sa.Column("board_key", sa.Integer(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("kind", _id, nullable=False),
        sa.Column("player_key", _player_key, nullable=False),
        sa.Column("seq", sa.BigInteger()),
        sa.Column("action_id", _id),
        sa.Column("action_seq", sa.BigInteger()),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("score", sa.BigInteger(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("idempotency_digest", sa.Uuid()),
        sa.PrimaryKeyConstraint("board_key", "version", name="score_events_pkey"),
        sa.ForeignKeyConstraint(["board_key"], ["boards.key"], name="score_events_board_key_fkey"),
        sa.ForeignKeyConstraint(["player_key"], ["players.key"], name="score_events_player_key_fkey"),
        sqlite_with_rowid=False,
    )
    op.create_index("score_events_seq", "score_events", ["player_key", "seq"], unique=True)
    op.create_index(
        "score_events_action", "score_events", ["player_key", "action_id", "action_seq"], unique=True
    )
    op.create_index(
        "score_events_idempotency",
        "score_events",
        ["player_key", "idempotency_digest"],
        unique=True,
        sqlite_where=sa.text("idempotency_digest IS NOT NULL"),
        postgresql_where=sa.text("idempotency_digest IS NOT NULL"),
    )
    op.create_table(
        "standings",
        sa.Column("board_key", sa.Integer(), nullable=False),
        sa.Column("period", _id, nullable=False),
        sa.Column("player_key", _player_key, nullable=False),
        sa.Column("score", sa.BigInteger(), nullable=False),
        sa.Column("reached_version", sa.BigInteger(), nullable=False),
        sa.Column("reached_at_us", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("board_key", "period", "player_key", name="standings_pkey"),
        sa.ForeignKeyConstraint(["board_key"], ["boards.key"], name="standings_board_key_fkey"),
        sa.ForeignKeyConstraint(["player_key"], ["players.key"], name="standings_player_key_fkey"),
        sqlite_with_rowid=False,
    )
    op.create_index("standings_version", "standings", ["board_key", "period", "version"])
    op.create_index(
        "standings_order",
        "standings",
        ["board_key", "period", "listed", sa.text("score DESC"), "reached_version"],
    )
    if op.get_bind().dialect.name == "sqlite":
        _protect_the_ledger_sqlite()
    else:
        _protect_the_ledger_postgresql()
        _make_room_for_updates()


def _protect_the_ledger_postgresql() -> None:
    op.execute(
        """
        CREATE FUNCTION score_events_append_only() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'score_events is append-only'; END $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER score_events_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON score_events
        FOR EACH STATEMENT EXECUTE FUNCTION score_events_append_only()
        """
    )


def _make_room_for_updates() -> None:
    """Leave space in pages for updated rows. Boards and players change no index (HOT updates)."""
    op.execute("ALTER TABLE boards SET (fillfactor = 10)")
    op.execute("ALTER TABLE players SET (fillfactor = 80)")
    op.execute("ALTER TABLE standings SET (fillfactor = 70)")


def _protect_the_ledger_sqlite() -> None:
    op.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    # REPLACE would delete a row without firing the trigger below, so a conflicting event is refused before.
    op.execute(
        """
        CREATE TRIGGER score_events_no_replace BEFORE INSERT ON score_events
          WHEN EXISTS (SELECT 1 FROM score_events WHERE board_key = NEW.board_key AND version = NEW.version)
            OR EXISTS (SELECT 1 FROM score_events WHERE player_key = NEW.player_key AND seq = NEW.seq)
            OR EXISTS (SELECT 1 FROM score_events WHERE player_key = NEW.player_key AND action_id = NEW.action_id
                                                    AND action_seq = NEW.action_seq)
            OR EXISTS (SELECT 1 FROM score_events WHERE player_key = NEW.player_key
                                                    AND idempotency_digest = NEW.idempotency_digest)
        BEGIN SELECT RAISE(ABORT, 'score_events is append-only'); END
        """
    )
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER score_events_no_{verb.lower()} BEFORE {verb} ON score_events "
            f"BEGIN SELECT RAISE(ABORT, 'score_events is append-only'); END"
        )
