"""All routes as one ASGI application."""

from collections.abc import Callable, Sequence
from functools import cache, partial
from random import SystemRandom

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Scope

from scoreboard import __version__
from scoreboard.domain.boards import RateLimit
from scoreboard.domain.errors import InternalError
from scoreboard.fanout.board_cache import BoardCache
from scoreboard.fanout.hub import Hub
from scoreboard.fanout.publisher import Publisher
from scoreboard.ports.clock import Clock
from scoreboard.services.administer import Administration
from scoreboard.services.clock_guard import ClockGuard
from scoreboard.services.heal import Healer
from scoreboard.services.submit import Submitter
from scoreboard.settings.catalog import Catalog
from scoreboard.web import problems
from scoreboard.web.admin.routes import Door
from scoreboard.web.admin.schemas import REQUESTS as ADMIN_REQUESTS
from scoreboard.web.auth.board_access import BoardAccess
from scoreboard.web.auth.tokens import Tokens
from scoreboard.web.limits.read_limit import ReadLimit
from scoreboard.web.limits.server_limit import ServerLimit
from scoreboard.web.middleware.cors import Cors
from scoreboard.web.openapi import make_document
from scoreboard.web.provenance import ProvenanceHasher
from scoreboard.web.routes.demo import demo_routes
from scoreboard.web.routes.docs import docs_routes
from scoreboard.web.routes.health import health_routes
from scoreboard.web.routes.leaderboard import leaderboard_route, stream_route
from scoreboard.web.routes.page import page_routes
from scoreboard.web.routes.players import NameRequest, name_route
from scoreboard.web.routes.scores import scores_route
from scoreboard.web.schemas.leaderboard import PatchResponse
from scoreboard.web.schemas.scores import ScoreRequest

DESCRIPTION = """\
Users complete actions; the server decides the points, keeps every score in a ledger, ranks everybody, and every open
browser sees the top 10 change at once.

Errors are `application/problem+json` (RFC 9457) with a stable `code`. None has changed anything, but for
`outcome_unknown`, which says what to do."""


def make_application(
    *,
    catalog: Catalog,
    submitter: Submitter,
    administration: Administration,
    healer: Healer,
    clock_guard: ClockGuard,
    board_cache: BoardCache,
    publisher: Publisher,
    hub: Hub,
    tokens: Tokens,
    origins: ProvenanceHasher,
    admin: Sequence[BaseRoute] = (),
    admin_door: Door,
    clock: Clock,
    player_limit: RateLimit,
    server_limit: RateLimit | None,
    read_limit: ReadLimit,
    write_origins: Sequence[str],
    root_path: str = "",
    are_boards_private: bool = False,
    origin: Callable[[Scope], str | None],
    is_demo: bool = False,
) -> FastAPI:
    """The application over the parts that it serves."""
    application = FastAPI(
        title="Scoreboard",
        version=__version__,
        description=DESCRIPTION,
        license_info={"name": "MIT", "identifier": "MIT"},
        # `docs` serves its own page, and the OpenAPI document differs between ports.
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        servers=[{"url": root_path or "/"}],
        # One address for one thing: with a slash at its end it is another, and not found.
        redirect_slashes=False,
        # On by default, and nobody asked for it.
        telemetry={"tracing": False, "metrics": False, "logs": False},
        middleware=[Middleware(Cors, write_origins=write_origins)],
        exception_handlers={HTTPException: _http_exception, Exception: _internal_error},
    )
    servers = ServerLimit(server_limit, clock)
    readers = BoardAccess(tokens if are_boards_private else None)
    # The most frequent first: routes are tried in order.
    application.router.routes[:0] = [
        scores_route(submitter, tokens, origins, player_limit=player_limit, servers=servers),
        leaderboard_route(catalog, board_cache, readers, read_limit),
        stream_route(catalog, publisher, hub, healer, origin, readers, read_limit),
        name_route(administration, tokens, servers),
    ]
    application.router.routes.extend(admin)
    application.include_router(health_routes(hub, healer, clock_guard))
    if is_demo:
        application.include_router(demo_routes(catalog, tokens, SystemRandom()))
    application.router.routes.extend(docs_routes())
    application.router.routes.extend(
        page_routes(catalog, root_path=root_path, is_demo=is_demo, are_boards_private=are_boards_private)
    )
    _describe(application, admin, admin_door)
    return application


async def _http_exception(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return problems.http_problem(error).response()


async def _internal_error(_request: Request, _error: Exception) -> Response:
    return problems.problem(InternalError()).response()


def _describe(application: FastAPI, admin: Sequence[BaseRoute], admin_door: Door) -> None:
    """Serve the OpenAPI document. The administrators' routes are only in that of their port."""
    public_routes = [route for route in application.routes if route not in admin]
    bodies = (ScoreRequest, NameRequest, PatchResponse)
    documents = {
        True: cache(
            partial(
                make_document, application, application.routes, (*bodies, *(ADMIN_REQUESTS if admin else ()))
            )
        ),
        False: cache(partial(make_document, application, public_routes, bodies)),
    }

    async def show(request: Request) -> Response:
        return JSONResponse(documents[admin_door(request.scope)]())

    application.router.routes.append(Route("/openapi.json", show))
    application.openapi = documents[True]  # type: ignore[method-assign]  # FastAPI's documented way to extend it
