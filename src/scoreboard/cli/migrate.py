"""`scoreboard migrate`"""

import typer

from scoreboard import app
from scoreboard.config import read_settings


def migrate() -> None:
    """Make the database, or bring it to the schema of this program.

    Nothing is lost, and a repeat changes nothing. Stop the server first, and take a copy of the file.
    """
    settings = read_settings()
    before, after = app.migrate(settings)
    if before == after:
        typer.echo(f"{settings.database_path} has schema {after} already.")
    else:
        typer.echo(f"{settings.database_path} has schema {after} now (before: {before or 'none'}).")
