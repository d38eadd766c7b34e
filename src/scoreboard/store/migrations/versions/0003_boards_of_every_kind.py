"""Add boards of every kind: columns, periods, rollovers, and an order that indexes can follow.

Programs of 0002 cannot use the new tables: stop them first. The standings are copied into a new table in
steps, and the ledger only gets new columns.
"""

import sqlalchemy as sa
from alembic import context, op

from scoreboard.ports.progress import Report, ignore
from scoreboard.store.migrations import APPLICATION_ID

revision = "0003"
down_revision = "0002.3"
branch_labels = None
depends_on = None

_player_key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_id = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

PLAYERS_PER_STEP = 50_000
"""Keys of players whose standings one statement copies, in about a second."""

_ONLY_NEW = ("column_1", "column_2", "period", "boundary_us")

_COPY = sa.text(
    """
    INSERT INTO standings (board_key, player_key, period, score, order_1, tie_order, reached_at_us, version, listed)
    SELECT board_key, player_key, period, score, -score, reached_version, reached_at_us, version, listed
      FROM standings_0002
     WHERE board_key = :board_key AND period = 'all' AND player_key > :after AND player_key <= :up_to
     ORDER BY player_key
    """
)


def upgrade() -> None:
    connection = op.get_bind()
    total = connection.execute(sa.text("SELECT count(*) FROM standings")).scalar_one()
    report: Report = context.config.attributes.get("report", ignore) if total else ignore
    if connection.dialect.name == "postgresql":
        # Servers of 0002 that still run write nothing until this is committed.
        connection.execute(
            sa.text(
                "SELECT pg_advisory_xact_lock(CAST(:application AS int), key) "
                "FROM (SELECT key FROM boards ORDER BY key) AS b"
            ),
            {"application": APPLICATION_ID},
        )
    for kind in ("day", "week", "month"):
        op.add_column("boards", sa.Column(kind, _id))
    _extend_the_ledger(connection)
    _make_standings(connection)
    _copy_standings(connection, report, total)
    report("indexes", 0, 2)
    op.create_index("standings_version", "standings", ["board_key", "period", "version"])
    report("indexes", 1, 2)
    order = ["order_1", "order_2", "order_3", "tie_order"]
    op.create_index("standings_order", "standings", ["board_key", "period", "listed", *order])
    if connection.dialect.name == "postgresql":
        # Checked at once, which is faster than row by row.
        for column, table in (("board_key", "boards"), ("player_key", "players")):
            op.create_foreign_key(f"standings_{column}_fkey", "standings", table, [column], ["key"])
        op.execute("ANALYZE standings")
    report("indexes", 2, 2)


def _extend_the_ledger(connection: sa.Connection) -> None:
    is_sqlite = connection.dialect.name == "sqlite"
    if is_sqlite:
        _allow_events_without_player_sqlite(connection)
    else:
        op.alter_column("score_events", "player_key", nullable=True)
    for column in (
        sa.Column("column_1", sa.BigInteger()),
        sa.Column("column_2", sa.BigInteger()),
        sa.Column("period", _id),
        sa.Column("boundary_us", sa.BigInteger()),
    ):
        op.add_column("score_events", column)
    condition = sa.text("period IS NOT NULL")
    op.create_index(
        "score_events_period",
        "score_events",
        ["board_key", "period"],
        unique=True,
        sqlite_where=condition,
        postgresql_where=condition,
    )
    if not is_sqlite:
        op.execute(
            f"CREATE TRIGGER score_events_no_period_change BEFORE UPDATE OF {', '.join(_ONLY_NEW)} "
            "ON score_events FOR EACH STATEMENT EXECUTE FUNCTION score_events_append_only()"
        )
        return
    op.execute(
        f"CREATE TRIGGER score_events_no_period_update BEFORE UPDATE OF {', '.join(_ONLY_NEW)} "
        "ON score_events BEGIN SELECT RAISE(ABORT, 'score_events is append-only'); END"
    )
    # Like `score_events_no_replace`, for the new index.
    op.execute(
        """
        CREATE TRIGGER score_events_no_replaced_period BEFORE INSERT ON score_events
          WHEN NEW.period IS NOT NULL
           AND EXISTS (SELECT 1 FROM score_events WHERE board_key = NEW.board_key AND period = NEW.period)
        BEGIN SELECT RAISE(ABORT, 'score_events is append-only'); END
        """
    )


def _allow_events_without_player_sqlite(connection: sa.Connection) -> None:
    """Remove NOT NULL from `score_events.player_key`, without a copy of the ledger.

    The rows stay as they are, so SQLite documents this way: https://www.sqlite.org/lang_altertable.html#otheralter
    """
    statement: str = connection.execute(
        sa.text("SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = 'score_events'")
    ).scalar_one()
    before, after = "player_key INTEGER NOT NULL", "player_key INTEGER"
    if statement.count(before) != 1:
        raise RuntimeError(f"unexpected table score_events: {statement}")
    version: int = connection.execute(sa.text("PRAGMA schema_version")).scalar_one()
    connection.execute(sa.text("PRAGMA writable_schema = ON"))
    connection.execute(
        sa.text("UPDATE sqlite_schema SET sql = :sql WHERE type = 'table' AND name = 'score_events'"),
        {"sql": statement.replace(before, after)},
    )
    connection.execute(sa.text(f"PRAGMA schema_version = {version + 1}"))
    connection.execute(sa.text("PRAGMA writable_schema = RESET"))


def _make_standings(connection: sa.Connection) -> None:
    for index in ("standings_version", "standings_order"):
        op.drop_index(index, "standings")
    op.rename_table("standings", "standings_0002")
    is_sqlite = connection.dialect.name == "sqlite"
    if not is_sqlite:
        op.execute("ALTER INDEX standings_pkey RENAME TO standings_0002_pkey")
    foreign_keys = (
        sa.ForeignKeyConstraint(["board_key"], ["boards.key"], name="standings_board_key_fkey"),
        sa.ForeignKeyConstraint(["player_key"], ["players.key"], name="standings_player_key_fkey"),
    )
    op.create_table(
        "standings",
        sa.Column("board_key", sa.Integer(), nullable=False),
        sa.Column("player_key", _player_key, nullable=False),
        sa.Column("period", _id, nullable=False),
        sa.Column("score", sa.BigInteger(), nullable=False),
        sa.Column("column_1", sa.BigInteger()),
        sa.Column("column_2", sa.BigInteger()),
        sa.Column("order_1", sa.BigInteger(), nullable=False),
        sa.Column("order_2", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
        sa.Column("order_3", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
        sa.Column("tie_order", sa.BigInteger(), nullable=False),
        sa.Column("reached_at_us", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("board_key", "player_key", "period", name="standings_pkey"),
        *(foreign_keys if is_sqlite else ()),
        sqlite_with_rowid=False,
    )
    if not is_sqlite:
        # Leave space in pages for updated rows.
        op.execute("ALTER TABLE standings SET (fillfactor = 70)")


def _copy_standings(connection: sa.Connection, report: Report, total: int) -> None:
    boards = connection.execute(
        sa.text(
            "SELECT board_key, max(player_key) AS newest FROM standings_0002 GROUP BY board_key ORDER BY board_key"
        )
    ).all()
    done = 0
    report("standings", done, total)
    for board in boards:
        for after in range(0, board.newest, PLAYERS_PER_STEP):
            step = {"board_key": board.board_key, "after": after, "up_to": after + PLAYERS_PER_STEP}
            done += connection.execute(_COPY, step).rowcount
            report("standings", done, total)
    if done != total:
        raise RuntimeError(f"copied {done} of {total} standings")
    op.drop_table("standings_0002")
