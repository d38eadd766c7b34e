"""Add corrections, the provenance of events, and proofs."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_id = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

_PROVENANCE = ("token_id", "address_hash", "agent_hash")
_REFUSE = "SELECT RAISE(ABORT, 'score_events is append-only')"


def upgrade() -> None:
    op.add_column("boards", sa.Column("fold", sa.Text(), nullable=False, server_default="sum, descending"))
    op.add_column("players", sa.Column("is_banned", sa.Boolean(), nullable=False, server_default=sa.false()))
    for column in (
        sa.Column("proof_digest", sa.Uuid()),
        sa.Column("target_version", sa.BigInteger()),
        sa.Column("token_id", _id),
        sa.Column("address_hash", sa.BigInteger()),
        sa.Column("agent_hash", sa.BigInteger()),
    ):
        op.add_column("score_events", column)
    _add_partial_index("score_events_proof", ["proof_digest"], "proof_digest", unique=True)
    _add_partial_index("score_events_target", ["target_version", "board_key", "version"], "target_version")
    op.create_table(
        "corrections",
        sa.Column("board_key", sa.Integer(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("board_key", "version", name="corrections_pkey"),
        sa.ForeignKeyConstraint(["board_key"], ["boards.key"], name="corrections_board_key_fkey"),
        sqlite_with_rowid=False,
    )
    op.create_index("corrections_order", "corrections", ["at_us", "board_key", "version"])
    if op.get_bind().dialect.name == "sqlite":
        _allow_erasing_provenance_sqlite()
    else:
        _allow_erasing_provenance_postgresql()


def _add_partial_index(name: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    condition = sa.text(f"{where} IS NOT NULL")
    op.create_index(
        name, "score_events", columns, unique=unique, sqlite_where=condition, postgresql_where=condition
    )


_IS_NOT_ERASURE = (
    "NEW.reason <> '(erased)' OR NEW.board_key <> OLD.board_key OR NEW.version <> OLD.version "
    "OR NEW.at_us <> OLD.at_us OR NEW.actor <> OLD.actor"
)
"""Only the reason of a correction can be changed."""


def _kept_columns() -> str:
    """Return the columns of an event that can never change."""
    columns = sa.inspect(op.get_bind()).get_columns("score_events")
    return ", ".join(column["name"] for column in columns if column["name"] not in _PROVENANCE)


def _allow_erasing_provenance_sqlite() -> None:
    op.execute("DROP TRIGGER score_events_no_update")
    op.execute(
        f"CREATE TRIGGER score_events_no_update BEFORE UPDATE OF {_kept_columns()} ON score_events BEGIN {_REFUSE}; END"
    )
    op.execute(
        f"CREATE TRIGGER score_events_only_forget BEFORE UPDATE OF {', '.join(_PROVENANCE)} ON score_events "
        f"WHEN {' OR '.join(f'NEW.{column} IS NOT NULL' for column in _PROVENANCE)} BEGIN {_REFUSE}; END"
    )
    # Like `score_events_no_replace`, for the new index.
    op.execute(
        """
        CREATE TRIGGER score_events_no_replaced_proof BEFORE INSERT ON score_events
          WHEN NEW.proof_digest IS NOT NULL
           AND EXISTS (SELECT 1 FROM score_events WHERE proof_digest = NEW.proof_digest)
        BEGIN SELECT RAISE(ABORT, 'score_events is append-only'); END
        """
    )

    op.execute(
        f"CREATE TRIGGER corrections_only_forget BEFORE UPDATE ON corrections WHEN {_IS_NOT_ERASURE} "
        f"BEGIN {_REFUSE}; END"
    )
    op.execute(f"CREATE TRIGGER corrections_no_delete BEFORE DELETE ON corrections BEGIN {_REFUSE}; END")


def _allow_erasing_provenance_postgresql() -> None:
    op.execute("DROP TRIGGER score_events_no_change ON score_events")
    op.execute(
        f"CREATE TRIGGER score_events_no_change BEFORE UPDATE OF {_kept_columns()} OR DELETE OR TRUNCATE "
        "ON score_events FOR EACH STATEMENT EXECUTE FUNCTION score_events_append_only()"
    )
    op.execute(
        f"CREATE TRIGGER score_events_only_forget BEFORE UPDATE OF {', '.join(_PROVENANCE)} ON score_events "
        f"FOR EACH ROW WHEN ({' OR '.join(f'NEW.{column} IS NOT NULL' for column in _PROVENANCE)}) "
        "EXECUTE FUNCTION score_events_append_only()"
    )
    op.execute(
        "CREATE TRIGGER corrections_only_forget BEFORE UPDATE ON corrections FOR EACH ROW "
        f"WHEN ({_IS_NOT_ERASURE}) EXECUTE FUNCTION score_events_append_only()"
    )
    op.execute(
        "CREATE TRIGGER corrections_no_delete BEFORE DELETE OR TRUNCATE ON corrections FOR EACH STATEMENT "
        "EXECUTE FUNCTION score_events_append_only()"
    )
