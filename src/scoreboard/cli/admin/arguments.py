"""Arguments and options of several of these commands, and the service that the commands use."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer

from scoreboard.app import open_administration
from scoreboard.cli.arguments import checked
from scoreboard.domain.boards import MAX_SCORE
from scoreboard.domain.names import check_name
from scoreboard.domain.plain_text import check_id, check_reason
from scoreboard.services.administer import Administration
from scoreboard.settings.catalog import load_catalog
from scoreboard.settings.config import read_settings

T = TypeVar("T")


Name = Annotated[
    str, typer.Argument(metavar="NAME", help="The name that boards show.", callback=checked(check_name))
]
Board = Annotated[
    str, typer.Argument(metavar="BOARD", help="The board's id in the catalog.", callback=checked(check_id))
]
Version = Annotated[
    int,
    typer.Argument(metavar="VERSION", help="The event, by its version on the board.", min=1, max=MAX_SCORE),
]
Reason = Annotated[
    str, typer.Option("--reason", "-r", help="The reason, for the audit log.", callback=checked(check_reason))
]
Actor = Annotated[
    str | None,
    typer.Option(
        "--actor",
        help="The administrator, for the audit log. Default: your login name.",
        callback=checked(check_id),
    ),
]
Limit = Annotated[int, typer.Option(help="The number of lines at most.", min=1, max=10_000)]


def with_administration(use: Callable[[Administration], Awaitable[T]]) -> T:
    """Open the service of administrators, and return what a function gets from it."""
    settings = read_settings()
    catalog = load_catalog(settings.catalog)

    async def run() -> T:
        async with open_administration(settings, catalog) as administration:
            return await use(administration)

    return asyncio.run(run())
