"""Which schema a database has, which one this program needs, and the way from the one to the other."""

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from scoreboard.errors import SchemaError


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
    if before is not None:
        _refuse_newer(before)
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    return before, newest_revision()


def check(connection: Connection) -> None:
    """Raises SchemaError, with what to do, where the schema is not the newest."""
    revision = current_revision(connection)
    if revision == newest_revision():
        return
    if revision is not None:
        _refuse_newer(revision)
    raise SchemaError("The database has an older schema than this program: run “scoreboard migrate”.")


def _refuse_newer(revision: str) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if revision not in known:
        raise SchemaError("The database has a newer schema than this program: install a newer scoreboard.")
