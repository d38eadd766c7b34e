"""The schema of a database: reading its revision, checking it, and migrating it.

A revision such as `0002.1` only adds to 0002 what programs of 0002 can ignore. These programs keep working with it, so
that releases can be rolled out and back without downtime.
"""

import structlog
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from scoreboard.domain.errors import SchemaError

log = structlog.get_logger()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "scoreboard.store:migrations")
    config.set_main_option("path_separator", "os")
    return config


def newest_revision() -> str:
    """Return the revision of the schema that this program needs."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    assert revision is not None
    return revision


def current_revision(connection: Connection) -> str | None:
    """Return the revision of a database, or None if it is not a scoreboard database."""
    return MigrationContext.configure(connection).get_current_revision()


def migrate(connection: Connection) -> tuple[str | None, str]:
    """Migrate a database in the caller's transaction. Return the revisions before and after.

    Raises SchemaError if the schema is newer than this program.
    """
    before = current_revision(connection)
    if before is not None and _is_newer(before):
        _refuse_unknown(before)
        return before, before
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    return before, newest_revision()


def check(connection: Connection) -> None:
    """Raise SchemaError if this program cannot use the schema."""
    revision = current_revision(connection)
    if revision == newest_revision():
        return
    if revision is None or not _is_newer(revision):
        raise SchemaError("The database has an older schema than this program: run “scoreboard migrate”.")
    _refuse_unknown(revision)
    log.info(
        "the database has a newer schema, with additions that this program does not use", schema=revision
    )


def _is_newer(revision: str) -> bool:
    return revision not in {
        script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()
    }


def _refuse_unknown(revision: str) -> None:
    if revision.partition(".")[0] != newest_revision().partition(".")[0]:
        raise SchemaError("The database has a newer schema than this program: install a newer scoreboard.")
