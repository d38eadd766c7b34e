"""`scoreboard migrate`"""

import typer

from scoreboard import app
from scoreboard.settings.config import read_settings


def migrate() -> None:
    """Make the database, or bring it to the schema of this program.

    Nothing is lost, and a repeat changes nothing. Take a backup first. Servers of the version before may go on where
    the schema's number stays the same up to its dot (0002 and 0002.1): stop them where it does not.
    """
    settings = read_settings()
    before, after = app.migrate(settings)
    if before == after:
        typer.echo(f"{app.database_name(settings)} has schema {after} already.")
    else:
        typer.echo(f"{app.database_name(settings)} has schema {after} now (before: {before or 'none'}).")
