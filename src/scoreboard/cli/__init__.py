"""The command line: one command a file."""

import sys

import typer

from scoreboard import __version__
from scoreboard.cli import admin, bench, demo, export, migrate, proof, rebuild, serve, token, verify, watch
from scoreboard.cli.logs import configure_logs
from scoreboard.domain.errors import ScoreboardError

EXIT_CANNOT_START = 2

app = typer.Typer(
    name="scoreboard",
    help=(
        "A self-hosted, real-time scoreboard server: exact, durable, and live in every open browser.\n\n"
        "Try it with “scoreboard demo”. Settings are SCOREBOARD_* in the environment or in a file .env."
    ),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(serve.serve)
app.command()(demo.demo)
app.command()(migrate.migrate)
app.command()(rebuild.rebuild)
app.command()(token.token)
app.command()(proof.proof)
app.command()(verify.verify)
app.command()(export.export)
app.command()(watch.watch)
app.command()(bench.bench)
app.add_typer(admin.app, name="admin")


@app.callback(invoke_without_command=True)
def _options(
    version: bool = typer.Option(False, "--version", help="Print the version and exit."),
) -> None:
    if version:
        typer.echo(f"scoreboard {__version__}")
        raise typer.Exit


def main() -> None:
    """Run a command. What keeps it from starting is one sentence and exit code 2."""
    configure_logs()
    try:
        app()
    except ScoreboardError as error:
        typer.echo(f"scoreboard: {error}", err=True)
        sys.exit(EXIT_CANNOT_START)
