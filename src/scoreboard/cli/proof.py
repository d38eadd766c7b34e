"""`scoreboard proof`"""

from typing import Annotated
from uuid import uuid4

import typer

from scoreboard.cli.arguments import User, checked
from scoreboard.domain.plain_text import check_id
from scoreboard.settings.config import read_settings
from scoreboard.web.auth.tokens_from_settings import tokens_from_settings


def proof(
    user: User,
    action: Annotated[
        str,
        typer.Argument(metavar="ACTION", help="The action's id in the catalog.", callback=checked(check_id)),
    ],
    points: Annotated[int | None, typer.Option(help="The points, within the action's range.")] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="ID=VALUE", help="The value of a column, within the action's range."),
    ] = None,
) -> None:
    """Print a proof that a user has completed an action. It is valid once, for ten minutes.

    It is signed with this server's secret. Use it for tests: your game server signs its own proofs.
    """
    tokens = tokens_from_settings(read_settings())
    columns = dict(_parse(each) for each in column or ())
    typer.echo(tokens.sign_proof(user, action, str(uuid4()), points, columns))


def _parse(column: str) -> tuple[str, int]:
    name, _, value = column.partition("=")
    try:
        return name, int(value)
    except ValueError:
        raise typer.BadParameter(
            f"“{column}” is not a column and an integer, such as time=61250", param_hint="--column"
        ) from None
