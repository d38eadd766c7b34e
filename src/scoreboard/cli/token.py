"""`scoreboard token`"""

import re
from typing import Annotated

import typer

from scoreboard.cli.arguments import User, checked
from scoreboard.domain.names import check_name
from scoreboard.domain.submissions import Caller
from scoreboard.settings.config import read_settings
from scoreboard.web.auth.tokens_from_settings import tokens_from_settings

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def token(
    user: User,
    name: Annotated[
        str | None, typer.Option(help="The displayed name.", callback=checked(check_name))
    ] = None,
    scope: Annotated[
        list[str] | None,
        typer.Option(help="A permission beyond the user's own scores, such as scores:write:any. Repeatable."),
    ] = None,
    expires_in: Annotated[str, typer.Option(help="The lifetime: 90s, 15m, 1h, 30d.")] = "1h",
) -> None:
    """Print a token for a user, signed with this server's secret.

    Use it for tests and scripts. Your backend signs its own tokens with the same secret (HS256, with the
    claims `sub`, `exp` and optionally `name`).
    """
    caller = Caller(user, name, frozenset(scope or ()))
    typer.echo(tokens_from_settings(read_settings()).sign(caller, _seconds(expires_in)))


def _seconds(text: str) -> int:
    matched = re.fullmatch(r"([1-9][0-9]{0,8})([smhd])", text)
    if matched is None:
        raise typer.BadParameter(
            "must be a number and a unit, such as 90s, 15m, 1h or 30d", param_hint="--expires-in"
        )
    return int(matched[1]) * _UNITS[matched[2]]
