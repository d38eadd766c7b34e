"""`scoreboard demo`"""

from contextlib import ExitStack
from typing import Annotated

import typer

from scoreboard.app import Scoreboard, database_name, make_tokens, migrate
from scoreboard.cli.serve import serve_until_stopped
from scoreboard.cli.simulated_players import SimulatedPlayers
from scoreboard.domain.errors import StartError
from scoreboard.domain.submissions import Caller
from scoreboard.settings.catalog import load_catalog
from scoreboard.settings.config import Settings, read_settings
from scoreboard.settings.hosts import is_this_machine

_YOU = Caller("you", "You")
_TOKEN_SECONDS = 30 * 86_400


def demo(
    host: Annotated[
        str | None, typer.Option(help="Address to listen on [SCOREBOARD_HOST, 127.0.0.1].")
    ] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on [SCOREBOARD_PORT, 8000].")] = None,
    players: Annotated[bool, typer.Option(help="Simulate players, who score through the real API.")] = True,
    let_anybody_play: Annotated[
        bool,
        typer.Option(
            "--let-anybody-play", help="Listen beyond this machine: whoever reaches it gets a token."
        ),
    ] = False,
) -> None:
    """Serve the scoreboard with a few simulated players, and say how to try it.

    Makes or migrates the database first. Everything is kept: the next demo goes on from there. Stop it with Ctrl-C.
    """
    given = {"host": host, "port": port}
    settings = read_settings(**{name: value for name, value in given.items() if value is not None})
    if settings.env == "production":
        raise StartError(
            "The demo gives a token to everybody: it does not run where SCOREBOARD_ENV is production."
        )
    if settings.tls is not None:
        raise StartError(
            "The demo's players speak plain HTTP: leave SCOREBOARD_TLS_CERTIFICATE and …_KEY to serve."
        )
    if not let_anybody_play and not is_this_machine(settings.host):
        raise StartError(
            f"The demo gives a token to anybody who reaches {settings.host}: use 127.0.0.1, or add --let-anybody-play."
        )
    catalog = load_catalog(settings.catalog)
    board = catalog.board(None).id
    actions = [action.id for action in catalog.actions.values() if action.board == board]
    if not actions:
        raise typer.BadParameter(
            f"the catalog has no action for its first board, “{board}”", param_hint="catalog"
        )
    tokens = make_tokens(settings)

    def sign(caller: Caller) -> str:
        return tokens.sign(caller, _TOKEN_SECONDS)

    with ExitStack() as while_served:

        def started(url: str, _scoreboard: Scoreboard) -> None:
            typer.echo(_greeting(url, actions[0], sign(_YOU)))
            if players:
                while_served.enter_context(SimulatedPlayers(url, actions, sign))

        serve_until_stopped(
            settings, catalog, tokens, prepare=lambda: _migrate(settings), started=started, is_demo=True
        )
    typer.echo(f"Stopped. Every score is kept in {database_name(settings)}.")


def _migrate(settings: Settings) -> None:
    migrate(settings)


def _greeting(url: str, action: str, token: str) -> str:
    # Plain lines: whoever pastes the command wants no box around it and no break in it.
    body = f'{{"actionId":"{action}","userId":"{_YOU.user_id}"}}'
    headers = f"-H 'Authorization: Bearer {token}' -H 'Content-Type: application/json'"
    return f"""
The scoreboard is running.

  Page       {url}/
  API docs   {url}/docs
  Stop       Ctrl-C (everything is kept)

Score for yourself: paste this into another terminal, and watch the page.

curl -X POST {url}/api/scores {headers} -d '{body}'
"""
