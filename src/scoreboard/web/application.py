"""The ASGI application: all routes, inside the middleware."""

from dataclasses import dataclass
from functools import cache, partial
from random import SystemRandom
from typing import Final

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from scoreboard import __version__
from scoreboard.domain.errors import InternalError
from scoreboard.fanout.board_cache import BoardCache
from scoreboard.fanout.hub import Hub
from scoreboard.fanout.publisher import Publisher
from scoreboard.ports.clock import Clock
from scoreboard.ports.observer import Observer
from scoreboard.services.administer import Administration
from scoreboard.services.board_queries import BoardQueries
from scoreboard.services.clock_guard import ClockGuard
from scoreboard.services.heal import Healer
from scoreboard.services.submit import Submitter
from scoreboard.settings.catalog import Catalog
from scoreboard.settings.config import Settings
from scoreboard.web import problems
from scoreboard.web.admin.page import admin_page_routes
from scoreboard.web.admin.port import admin_port_check
from scoreboard.web.admin.routes import admin_routes
from scoreboard.web.auth.board_access import BoardAccess
from scoreboard.web.auth.tokens import Tokens
from scoreboard.web.client_address import client_address
from scoreboard.web.limits.read_limit import ReadLimit
from scoreboard.web.limits.server_limit import ServerLimit
from scoreboard.web.middleware.cors import Cors
from scoreboard.web.middleware.request import RequestMiddleware
from scoreboard.web.middleware.request_log import RequestLog
from scoreboard.web.middleware.security_headers import SECURITY_HEADERS, STRICT_TRANSPORT_SECURITY
from scoreboard.web.openapi import make_document
from scoreboard.web.provenance import ProvenanceHasher
from scoreboard.web.read_endpoint import ReadEndpoint
from scoreboard.web.routes.boards import boards_route
from scoreboard.web.routes.demo import demo_routes
from scoreboard.web.routes.docs import docs_routes
from scoreboard.web.routes.health import health_routes
from scoreboard.web.routes.leaderboard import leaderboard_route
from scoreboard.web.routes.page import page_routes
from scoreboard.web.routes.players import name_route
from scoreboard.web.routes.ranks import cutoffs_route, rank_route
from scoreboard.web.routes.scores import scores_route
from scoreboard.web.routes.stream import stream_route

DESCRIPTION: Final = """\
Users complete actions. The server decides the points, keeps every score in a ledger, ranks all players, and
updates the top rows in every open browser.

Errors are `application/problem+json` (RFC 9457) with a stable `code`. A request with an error has changed
nothing, except with `outcome_unknown`, whose `detail` says what to do."""


@dataclass(frozen=True, slots=True)
class Services:
    """The objects that the routes use."""

    catalog: Catalog
    submitter: Submitter
    queries: BoardQueries
    administration: Administration
    healer: Healer
    clock_guard: ClockGuard
    board_cache: BoardCache
    publisher: Publisher
    hub: Hub
    tokens: Tokens
    clock: Clock
    observer: Observer


def make_application(
    settings: Settings, services: Services, *, hash_key: bytes | None, admin_port: int | None, is_demo: bool
) -> ASGIApp:
    """Return the application.

    `hash_key` hashes client addresses in the ledger and users in the request log. Without it, neither is
    recorded. `admin_port` serves the routes of administrators.
    """
    is_admin_port = admin_port_check(admin_port, is_public=settings.admin_on_public_port)
    admin_only: list[BaseRoute] = []
    if settings.has_admin_routes:
        admin_only += admin_routes(services.administration, services.tokens, is_admin_port)
        admin_only += admin_page_routes(is_admin_port)
    public = _public_routes(settings, services, hash_key, is_demo=is_demo)
    application = FastAPI(
        title="Scoreboard",
        version=__version__,
        description=DESCRIPTION,
        license_info={"name": "MIT", "identifier": "MIT"},
        servers=[{"url": settings.root_path or "/"}],
        # `routes.docs` serves the page, and each port has its own OpenAPI document.
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        # A path with a slash at its end is another path, which does not exist.
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},
        middleware=[Middleware(Cors, write_origins=settings.cors_origins)],
        exception_handlers={HTTPException: _http_problem, Exception: _internal_error},
    )
    document = cache(partial(make_document, application, public))
    admin_document = cache(partial(make_document, application, [*public, *admin_only]))

    async def openapi(request: Request) -> Response:
        return JSONResponse(admin_document() if is_admin_port(request.scope) else document())

    # The router tries the routes in this order.
    application.router.routes[:] = [*public, *admin_only, Route("/openapi.json", openapi)]
    application.openapi = admin_document  # type: ignore[method-assign]  # FastAPI's documented way to extend it
    return RequestMiddleware(
        application,
        root_path=settings.root_path,
        headers=[*SECURITY_HEADERS, *([STRICT_TRANSPORT_SECURITY] if settings.tls else [])],
        observer=services.observer,
        request_log=RequestLog(hash_key) if settings.has_request_log else None,
    )


def _public_routes(
    settings: Settings, services: Services, hash_key: bytes | None, *, is_demo: bool
) -> list[BaseRoute]:
    address = partial(client_address, trusted=settings.trusted_proxies)
    server_limit = ServerLimit(settings.server_rate_limit, services.clock)
    read_limit = ReadLimit(settings.read_rate_limit, services.clock, address)
    access = BoardAccess(services.tokens if settings.require_auth_to_read else None)
    endpoint = ReadEndpoint(access, read_limit)
    provenance = ProvenanceHasher(hash_key, address)
    catalog, tokens, hub = services.catalog, services.tokens, services.hub
    return [
        scores_route(catalog, services.submitter, tokens, provenance, settings.rate_limit, server_limit),
        leaderboard_route(catalog, services.board_cache, services.queries, endpoint),
        rank_route(catalog, services.queries, endpoint),
        cutoffs_route(catalog, services.queries, endpoint),
        boards_route(catalog, services.queries, services.clock, endpoint),
        stream_route(
            catalog,
            services.publisher,
            hub,
            services.healer,
            access,
            read_limit,
            None if settings.max_streams_per_address is None else address,
        ),
        name_route(services.administration, tokens, server_limit),
        *health_routes(hub, services.healer, services.clock_guard),
        *(demo_routes(catalog, tokens, SystemRandom()) if is_demo else []),
        *docs_routes(),
        *page_routes(
            catalog,
            root_path=settings.root_path,
            is_demo=is_demo,
            are_boards_private=settings.require_auth_to_read,
        ),
    ]


async def _http_problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return problems.http_problem(error).response()


async def _internal_error(_request: Request, _error: Exception) -> Response:
    return problems.problem(InternalError()).response()
