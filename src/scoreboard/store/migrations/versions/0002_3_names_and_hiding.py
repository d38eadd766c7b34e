"""Add names that administrators set, and hidden players.

The migration only adds columns. Programs of 0002 read the new kinds of events as kinds that they know
(`store/event_kinds.py`). They ignore the new columns of `players`: see CHANGELOG.md.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002.3"
down_revision = "0002.2"
branch_labels = None
depends_on = None

_id = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    for column in (
        sa.Column("is_hidden", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("is_name_kept", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("renames", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
    ):
        op.add_column("players", column)
    op.add_column("score_events", sa.Column("subkind", _id))
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER score_events_no_subkind_update BEFORE UPDATE OF subkind ON score_events "
            "BEGIN SELECT RAISE(ABORT, 'score_events is append-only'); END"
        )
    else:
        op.execute(
            "CREATE TRIGGER score_events_no_subkind_update BEFORE UPDATE OF subkind ON score_events "
            "FOR EACH STATEMENT EXECUTE FUNCTION score_events_append_only()"
        )
