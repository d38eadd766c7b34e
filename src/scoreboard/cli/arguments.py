"""Arguments and options of several commands, and their validation."""

from collections.abc import Callable
from typing import Annotated

import typer

from scoreboard.domain.plain_text import check_id
from scoreboard.settings.config import Settings, read_settings


def checked(check: Callable[[str], str]) -> Callable[[str | None], str | None]:
    """Return a callback that validates an argument. It passes on a missing one. Raises BadParameter."""

    def callback(text: str | None) -> str | None:
        try:
            return None if text is None else check(text)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error

    return callback


Url = Annotated[str, typer.Argument(metavar="URL", help="The server's address.")]
DEFAULT_URL = "http://127.0.0.1:8000"
User = Annotated[str, typer.Argument(metavar="USER", help="The user id.", callback=checked(check_id))]
Board = Annotated[
    str | None, typer.Option(metavar="ID", help="The board. Default: the first of the catalog.")
]
Host = Annotated[str | None, typer.Option(help="Address to listen on [SCOREBOARD_HOST, 127.0.0.1].")]
Port = Annotated[int | None, typer.Option(help="Port to listen on [SCOREBOARD_PORT, 8000].")]


def settings_with(host: str | None, port: int | None) -> Settings:
    """Read the settings. Options that are given take precedence. Raises StartError."""
    given = {"host": host, "port": port}
    return read_settings(**{name: value for name, value in given.items() if value is not None})
