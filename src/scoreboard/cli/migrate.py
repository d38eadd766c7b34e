"""`scoreboard migrate`"""

from contextlib import ExitStack

import typer

from scoreboard import app
from scoreboard.cli.progress import started_reporter
from scoreboard.settings.config import read_settings


def migrate() -> None:
    """Create the database, or migrate it to the schema of this program. Show the progress.

    Take a backup first. A second run changes nothing. Servers of the previous version may continue to run if
    the number of the schema changes only after its dot (0002 and 0002.1). Otherwise stop them first.
    """
    settings = read_settings()
    with ExitStack() as stack:
        before, after = app.migrate(settings, started_reporter(stack))
    if before == after:
        typer.echo(f"{app.database_name(settings)} already has schema {after}.")
    else:
        typer.echo(f"{app.database_name(settings)} now has schema {after} (before: {before or 'none'}).")
