"""`scoreboard demo`"""

from contextlib import ExitStack
from typing import Annotated

import typer

from scoreboard.app import Scoreboard, database_name, migrate
from scoreboard.cli.arguments import Host, Port, settings_with
from scoreboard.cli.serve import serve_until_stopped
from scoreboard.cli.simulated_players import SimulatedPlayers
from scoreboard.domain.errors import StartError
from scoreboard.domain.submissions import Caller
from scoreboard.settings.catalog import load_catalog
from scoreboard.settings.config import Settings
from scoreboard.settings.hosts import is_this_machine
from scoreboard.web.auth.tokens_from_settings import tokens_from_settings

_YOU = Caller("you", "You")
_TOKEN_SECONDS = 30 * 86_400


def demo(
    host: Host = None,
    port: Port = None,
    players: Annotated[
        bool, typer.Option(help="Simulate players, who submit scores through the API.")
    ] = True,
    let_anybody_play: Annotated[
        bool,
        typer.Option(
            "--let-anybody-play",
            help="Allow a host that other machines can reach, and give a token to each client.",
        ),
    ] = False,
) -> None:
    """Serve the scoreboard with a few simulated players, and print how to try it.

    This creates or migrates the database first. The scores stay for the next demo. Stop it with Ctrl-C.
    """
    settings = settings_with(host, port)
    _check(settings, is_public=let_anybody_play)
    catalog = load_catalog(settings.catalog)
    board = catalog.board(None).id
    actions = [action for action in catalog.actions.values() if action.needs_no_server]
    first = next((action.id for action in actions if action.board == board), None)
    if first is None:
        raise typer.BadParameter(
            f"the catalog needs an action for its first board, “{board}”, that players can submit",
            param_hint="catalog",
        )
    tokens = tokens_from_settings(settings)

    def sign(caller: Caller) -> str:
        return tokens.sign(caller, _TOKEN_SECONDS)

    with ExitStack() as while_served:

        def started(url: str, _scoreboard: Scoreboard) -> None:
            typer.echo(_greeting(url, first, sign(_YOU)))
            if players:
                while_served.enter_context(SimulatedPlayers(url, [action.id for action in actions], sign))

        serve_until_stopped(
            settings, catalog, tokens, prepare=lambda: migrate(settings), started=started, is_demo=True
        )
    typer.echo(f"Stopped. The scores are in {database_name(settings)}.")


def _check(settings: Settings, *, is_public: bool) -> None:
    """Raise StartError for settings that are not safe or not possible in a demo."""
    if settings.env == "production":
        raise StartError(
            "The demo gives a token to each client, so it does not run if SCOREBOARD_ENV is production."
        )
    if settings.tls is not None:
        raise StartError(
            "The simulated players use plain HTTP: use “scoreboard serve”, or unset "
            "SCOREBOARD_TLS_CERTIFICATE."
        )
    if not is_public and not is_this_machine(settings.host):
        raise StartError(
            f"The demo gives a token to each client of {settings.host}: use 127.0.0.1, or add "
            "--let-anybody-play."
        )


def _greeting(url: str, action: str, token: str) -> str:
    # Without a frame and line breaks, so that the command can be copied.
    body = f'{{"actionId":"{action}","userId":"{_YOU.user_id}"}}'
    headers = f"-H 'Authorization: Bearer {token}' -H 'Content-Type: application/json'"
    return f"""
The scoreboard is running.

  Page       {url}/
  API docs   {url}/docs
  Stop       Ctrl-C (the scores stay)

To submit a score, open the page and paste this into another terminal:

curl -X POST {url}/api/scores {headers} -d '{body}'
"""
