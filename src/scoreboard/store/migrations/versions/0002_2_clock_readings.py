"""Add the clock's reading of an event, for events whose `at_us` is ahead of it.

The migration only adds a column. Earlier programs write NULL, which means that the reading equals `at_us`.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002.2"
down_revision = "0002.1"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("score_events", sa.Column("clock_us", sa.BigInteger()))
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER score_events_no_clock_update BEFORE UPDATE OF clock_us ON score_events "
            "BEGIN SELECT RAISE(ABORT, 'score_events is append-only'); END"
        )
    else:
        op.execute(
            "CREATE TRIGGER score_events_no_clock_change BEFORE UPDATE OF clock_us ON score_events "
            "FOR EACH STATEMENT EXECUTE FUNCTION score_events_append_only()"
        )
