"""The schema of a database: reading its revision, checking it, and migrating it.

A revision such as `0002.1` only adds to 0002 what programs of 0002 can ignore. These programs keep working
with it, so that releases can be rolled out and back without downtime. For a revision such as `0003`, all
programs must be stopped.
"""

from typing import TYPE_CHECKING, Final

import structlog
from sqlalchemy import Connection, inspect, text

from scoreboard.domain.errors import SchemaError
from scoreboard.ports.progress import Report, ignore

if TYPE_CHECKING:
    from alembic.config import Config

log = structlog.get_logger()

REVISIONS: Final = ("0001", "0002", "0002.1", "0002.2", "0002.3", "0003")
"""The revisions in `migrations/versions`, oldest first. With this list, the check of a schema needs no
Alembic, which would add 0.2 s of CPU time to each start."""


def migration_config() -> "Config":
    """Return the configuration of Alembic. The caller adds its connection as an attribute."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "scoreboard.store:migrations")
    config.set_main_option("path_separator", "os")
    return config


def newest_revision() -> str:
    """Return the revision of the schema that this program needs."""
    return REVISIONS[-1]


def current_revision(connection: Connection) -> str | None:
    """Return the revision of a database, or None if it is not a scoreboard database."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def migrate(connection: Connection, report: Report = ignore) -> tuple[str | None, str]:
    """Migrate a database in the caller's transaction. Return the revisions before and after.

    Raises SchemaError if the schema is newer than this program.
    """
    from alembic import command

    before = current_revision(connection)
    if before is not None and before not in REVISIONS:
        _check_newer(before)
        return before, before
    config = migration_config()
    config.attributes |= {"connection": connection, "report": report}
    command.upgrade(config, "head")
    return before, newest_revision()


def check(connection: Connection) -> None:
    """Raise SchemaError if this program cannot use the schema."""
    revision = current_revision(connection)
    if revision == newest_revision():
        return
    if revision is None or revision in REVISIONS:
        raise SchemaError("The database has an older schema than this program: run “scoreboard migrate”.")
    _check_newer(revision)
    log.info(
        "the database has a newer schema, with additions that this program does not use", schema=revision
    )


def _check_newer(revision: str) -> None:
    """Raise SchemaError if a schema that this program does not know has another first number than its own."""
    if revision.partition(".")[0] != newest_revision().partition(".")[0]:
        raise SchemaError("The database has a newer schema than this program: install a newer scoreboard.")
