"""`scoreboard admin …`"""

import typer

from scoreboard.cli.admin import corrections, searches

app = typer.Typer(
    help="Search players and events, and correct them. Works directly on the database, also while "
    "servers run.",
    no_args_is_help=True,
)
for command in (
    searches.players,
    searches.history,
    searches.events,
    searches.suspects,
    corrections.ban,
    corrections.unban,
    corrections.hide,
    corrections.show,
    corrections.rename,
    corrections.clear_name,
    corrections.release_name,
    corrections.void,
    corrections.unvoid,
    corrections.void_since,
):
    app.command()(command)
app.command(context_settings={"ignore_unknown_options": True})(corrections.adjust)
app.command()(corrections.erase)
