"""The command line: one command a file."""

import sys
from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperGroup

from scoreboard import __version__
from scoreboard.cli.logs import configure_logs
from scoreboard.domain.errors import ScoreboardError

EXIT_CANNOT_START: Final = 2

COMMANDS: Final = (
    "serve",
    "demo",
    "migrate",
    "rebuild",
    "token",
    "proof",
    "verify",
    "export",
    "watch",
    "bench",
    "admin",
)
"""The modules of this package with a function of the same name, and `admin` with a group of commands."""


class CommandGroup(TyperGroup):
    """The commands, each imported when it is needed: the server's libraries take a second to load."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002  # typer's signature
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"{__name__}.{cmd_name}")
        if cmd_name == "admin":
            group = typer.main.get_group(module.app)
            group.name = cmd_name
            return group
        single = typer.Typer(add_completion=False)
        single.command()(getattr(module, cmd_name))
        return typer.main.get_command(single)


app = typer.Typer(
    name="scoreboard",
    cls=CommandGroup,
    help=(
        "A self-hosted, real-time scoreboard server: exact, durable, and live in every open browser.\n\n"
        "Try it with “scoreboard demo”. Settings are SCOREBOARD_* in the environment or in a file .env."
    ),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def _options(
    version: bool = typer.Option(False, "--version", help="Print the version and exit."),
) -> None:
    if version:
        typer.echo(f"scoreboard {__version__}")
        raise typer.Exit


def main() -> None:
    """Run a command. An error that prevents it is one sentence, and exit code 2."""
    configure_logs()
    try:
        app()
    except ScoreboardError as error:
        typer.echo(f"scoreboard: {error}", err=True)
        sys.exit(EXIT_CANNOT_START)
