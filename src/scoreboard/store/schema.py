"""Which schema a database has, which one this program needs, and the way from the one to the other.

A revision is `0002`, or `0002.1` where it only adds to 0002 what a program of 0002 need not know of: that program goes
on beside it, and can be started again, so that releases are rolled out and back with nobody waiting.
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
    """The schema that this program was written for."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    assert revision is not None
    return revision


def current_revision(connection: Connection) -> str | None:
    """The schema of a database; None where it has none of ours."""
    return MigrationContext.configure(connection).get_current_revision()


def migrate(connection: Connection) -> tuple[str | None, str]:
    """Bring a database to the newest schema, inside the caller's transaction; say from where to where.

    Raises SchemaError where it is newer than this program.
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
    """Raises SchemaError, with what to do, where the schema is none that it can work with."""
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
