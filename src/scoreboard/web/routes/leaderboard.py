"""GET /api/leaderboard"""

from typing import Any, Final

from starlette.types import Receive, Scope, Send

from scoreboard.domain import errors
from scoreboard.fanout.board_cache import BoardCache
from scoreboard.settings.catalog import Catalog
from scoreboard.web import problems
from scoreboard.web.api_route import JSON, AsgiRoute
from scoreboard.web.auth.board_access import BoardAccess
from scoreboard.web.dependencies import AUTHENTICATION_ERRORS
from scoreboard.web.limits.read_limit import ReadLimit
from scoreboard.web.openapi import error_responses, optional_parameter
from scoreboard.web.request_parts import parse_query, query_parameters
from scoreboard.web.schemas.fields import ID, MAX_LIMIT, MAX_OFFSET
from scoreboard.web.schemas.leaderboard import BoardQuery, LeaderboardResponse

_FIRST_PAGE: Final = BoardQuery()

_TEXT: Final = {"type": "string"}


def _integer(minimum: int, maximum: int, **more: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": minimum, "maximum": maximum, **more}


BOARD: Final = optional_parameter(
    "board", "A board of the catalog. By default, the first one.", ID, example="main"
)

OPTIONAL_TOKEN: Final[list[dict[str, list[str]]]] = [{}, {"bearer": []}]
"""A token is required only with SCOREBOARD_REQUIRE_AUTH_TO_READ."""

_ETAG: Final = {"ETag": {"description": "Changes when the response changes.", "schema": _TEXT}}

ERRORS: Final = (
    problems.TokenInQuery(),
    *AUTHENTICATION_ERRORS,
    errors.UnknownBoard("no-such-board"),
    problems.ValidationFailed([problems.FieldMistake("limit", "Input should be less than or equal to 100")]),
)


def leaderboard_route(
    catalog: Catalog, board_cache: BoardCache, access: BoardAccess, limit: ReadLimit
) -> AsgiRoute:
    """Return the route of a page of a board, with an entity tag."""
    cache_control = b"no-cache" if access.is_public else b"private, no-cache"

    async def get(scope: Scope, _receive: Receive, send: Send) -> None:
        limit.check(scope)
        parameters = query_parameters(scope)
        await access.check(scope, parameters)
        query = parse_query(BoardQuery, parameters) if parameters else _FIRST_PAGE
        frame = await board_cache.page(catalog.board(query.board).id, query.limit, query.offset)
        headers = [(b"etag", frame.etag.encode()), (b"cache-control", cache_control), *limit.policies]
        status, body = 304, b""
        if not _matches(scope, frame.etag):
            status, body = 200, frame.body
            headers = [JSON, *headers, (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return AsgiRoute(
        "/api/leaderboard",
        get,
        methods=["GET"],
        policies=limit.policies,
        operation_id="readLeaderboard",
        tags=["leaderboard"],
        summary="Read a board",
        description="The board after exactly `version` events, in the order of its ranks.",
        response_model=LeaderboardResponse,
        response_description="A page of the board.",
        responses={
            200: {"headers": _ETAG},
            304: {"description": "The page still has the entity tag in `If-None-Match`.", "headers": _ETAG},
            **error_responses(*ERRORS, problems.ReadsLimited(1_000_000), errors.StoreUnavailable()),
        },
        openapi_extra={
            "security": OPTIONAL_TOKEN,
            "parameters": [
                BOARD,
                optional_parameter(
                    "limit",
                    "The number of entries. By default, the board's `rows`.",
                    _integer(1, MAX_LIMIT),
                ),
                optional_parameter(
                    "offset", "The number of entries to skip.", _integer(0, MAX_OFFSET, default=0)
                ),
                optional_parameter("If-None-Match", "The `ETag` of an earlier response.", _TEXT, "header"),
            ],
        },
    )


def _matches(scope: Scope, etag: str) -> bool:
    """Return True if `If-None-Match` contains the entity tag (RFC 9110, section 13.1.2)."""
    for name, value in scope["headers"]:
        if name == b"if-none-match":
            tags = [tag.strip().removeprefix("W/") for tag in value.decode("latin-1").split(",")]
            if etag in tags or "*" in tags:
                return True
    return False
