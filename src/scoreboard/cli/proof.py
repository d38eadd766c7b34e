"""`scoreboard proof`"""

from typing import Annotated
from uuid import uuid4

import typer

from scoreboard.app import make_tokens
from scoreboard.cli.arguments import checked
from scoreboard.domain.plain_text import check_id
from scoreboard.settings.config import read_settings


def proof(
    user: Annotated[str, typer.Argument(metavar="USER", help="The user id.")],
    action: Annotated[str, typer.Argument(metavar="ACTION", help="The action's id in the catalog.")],
    points: Annotated[int | None, typer.Option(help="What it is worth, within the action's range.")] = None,
) -> None:
    """Print a proof that a user has completed an action, signed with this server's secret: good once, for ten minutes.

    For trying things out; your game's server signs proofs by itself (see docs/security.md).
    """
    tokens = make_tokens(read_settings())
    typer.echo(
        tokens.sign_proof(
            checked(check_id, user, "USER"), checked(check_id, action, "ACTION"), str(uuid4()), points
        )
    )
