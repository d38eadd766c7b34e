"""`scoreboard serve`"""

from collections.abc import Callable
from contextlib import ExitStack

import structlog

from scoreboard import server
from scoreboard.app import Scoreboard, makes_its_database, migrate, open_scoreboard
from scoreboard.cli.arguments import Host, Port, settings_with
from scoreboard.server.listen_socket import bind, url_of
from scoreboard.settings.catalog import Catalog, load_catalog
from scoreboard.settings.config import Settings
from scoreboard.settings.hosts import host_and_port
from scoreboard.web.auth.tokens import Tokens
from scoreboard.web.auth.tokens_from_settings import tokens_from_settings

log = structlog.get_logger()


def serve(
    host: Host = None,
    port: Port = None,
) -> None:
    """Serve the scoreboard until SIGTERM or Ctrl-C.

    A missing database file is created. For an empty PostgreSQL database, or an older schema, first run
    “scoreboard migrate”.
    """
    settings = settings_with(host, port)

    def make_if_missing() -> None:
        if makes_its_database(settings):
            migrate(settings)
            log.info("created a new database", path=str(settings.database_path))

    serve_until_stopped(
        settings,
        load_catalog(settings.catalog),
        tokens_from_settings(settings),
        prepare=make_if_missing,
        started=lambda url, scoreboard: _log_start(settings, url, scoreboard),
    )


def _log_start(settings: Settings, url: str, scoreboard: Scoreboard) -> None:
    if scoreboard.metrics_port is not None:
        log.info(
            "metrics", url=f"http://{host_and_port(settings.metrics_host, scoreboard.metrics_port)}/metrics"
        )
    log.info("serving", url=url, docs=f"{url}/docs", streams_at_most=scoreboard.hub.max_streams)


def serve_until_stopped(
    settings: Settings,
    catalog: Catalog,
    tokens: Tokens,
    *,
    prepare: Callable[[], object],
    started: Callable[[str, Scoreboard], None],
    is_demo: bool = False,
) -> None:
    """Bind the port, `prepare` the database, and serve. Raises StartError.

    `started` is called with the URL and the scoreboard as soon as connections are accepted.
    """
    public = bind(settings.host, settings.port)
    url = url_of(public, is_tls=settings.tls is not None)

    async def main() -> None:
        async with open_scoreboard(
            settings, catalog, tokens, is_demo=is_demo, admin_port=admin_port
        ) as scoreboard:

            async def drain(polite: bool) -> None:
                grace, seconds = (
                    (settings.drain_grace_seconds, settings.drain_seconds) if polite else (0.0, 0.0)
                )
                await scoreboard.hub.drain(grace, seconds)

            http_server = server.HttpServer(
                scoreboard.application, drain, lambda: started(url, scoreboard), settings.tls
            )
            await http_server.serve(sockets=sockets)

    with ExitStack() as stack:
        sockets = [stack.enter_context(public)]
        admin_port = None
        if settings.admin_port is not None:
            sockets.append(
                stack.enter_context(bind(settings.admin_host, settings.admin_port, "SCOREBOARD_ADMIN_"))
            )
            admin_port = sockets[-1].getsockname()[1]
            log.info("administrators", url=f"{url_of(sockets[-1], is_tls=settings.tls is not None)}/admin")
        prepare()
        server.run(main())
