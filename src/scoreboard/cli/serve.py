"""`scoreboard serve`"""

from collections.abc import Callable
from typing import Annotated

import structlog
import typer

from scoreboard import server
from scoreboard.app import make_tokens, makes_its_database, migrate, open_scoreboard
from scoreboard.catalog import Catalog, load_catalog
from scoreboard.config import Settings, read_settings
from scoreboard.web.auth import Tokens

log = structlog.get_logger()


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on [SCOREBOARD_HOST, 127.0.0.1].")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on [SCOREBOARD_PORT, 8000].")] = None,
) -> None:
    """Serve the scoreboard until SIGTERM or Ctrl-C.

    A database file that is not there yet is made. An empty database on a server, and any with an older schema, is left
    alone: run “scoreboard migrate”.
    """
    given = {"host": host, "port": port}
    settings = read_settings(**{name: value for name, value in given.items() if value is not None})

    def make_if_missing() -> None:
        if makes_its_database(settings):
            migrate(settings)
            log.info("made a new database", path=str(settings.database_path))

    serve_until_stopped(
        settings,
        load_catalog(settings.catalog),
        make_tokens(settings),
        prepare=make_if_missing,
        started=lambda url: log.info("serving", url=url, docs=f"{url}/docs"),
    )


def serve_until_stopped(
    settings: Settings,
    catalog: Catalog,
    tokens: Tokens,
    *,
    prepare: Callable[[], None],
    started: Callable[[str], None],
    is_demo: bool = False,
) -> None:
    """Take the port, `prepare` the database, and serve; `started` gets the URL once connections are taken.

    Raises StartError.
    """
    listening = server.bind(settings.host, settings.port)
    url = server.url_of(listening)

    async def main() -> None:
        async with open_scoreboard(settings, catalog, tokens, is_demo=is_demo) as scoreboard:

            async def drain(polite: bool) -> None:
                grace, seconds = (settings.drain_grace_seconds, settings.drain_seconds) if polite else (0.0, 0.0)
                await scoreboard.hub.drain(grace, seconds)

            http_server = server.make_server(scoreboard.application, drain, lambda: started(url))
            await http_server.serve(sockets=[listening])

    with listening:
        prepare()
        server.run(main)
