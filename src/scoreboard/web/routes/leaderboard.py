"""GET /api/leaderboard and GET /api/leaderboard/stream"""

from collections.abc import Callable
from typing import Any, Final

from pydantic import BaseModel
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from scoreboard.domain import errors
from scoreboard.fanout.board_cache import BoardCache
from scoreboard.fanout.encoding import Frame
from scoreboard.fanout.hub import Hub
from scoreboard.fanout.publisher import Publisher
from scoreboard.fanout.subscriber import StreamRequest
from scoreboard.services.heal import Healer
from scoreboard.settings.catalog import Catalog
from scoreboard.web import problems
from scoreboard.web.asgi_route import JSON, AsgiRoute, send_response
from scoreboard.web.auth.board_access import BoardAccess
from scoreboard.web.limits.read_limit import ReadLimit
from scoreboard.web.openapi import error_responses, reference
from scoreboard.web.request_parts import parse_query, query_parameters
from scoreboard.web.schemas.fields import ID
from scoreboard.web.schemas.leaderboard import BoardQuery, LeaderboardResponse, PatchResponse, StreamQuery
from scoreboard.web.streaming.response import head, refuse, stream

_FIRST_PAGE: Final = BoardQuery()
_FIRST_BOARD: Final = StreamQuery()

_BOARD: Final[dict[str, Any]] = {
    "name": "board",
    "in": "query",
    "required": False,
    "description": "A board of the catalog; without it, the catalog's first.",
    "schema": ID,
    "example": "main",
}

_EITHER_WAY: Final[list[dict[str, list[str]]]] = [{}, {"bearer": []}]
"""Without a token, unless SCOREBOARD_REQUIRE_AUTH_TO_READ asks for one."""

_DELTA: Final[dict[str, Any]] = {
    "name": "delta",
    "in": "query",
    "required": False,
    "description": "1: send what has changed, where that is shorter than the whole.",
    "schema": {"type": "string", "enum": ["0", "1"], "default": "0"},
}

_LAST_EVENT_ID: Final[dict[str, Any]] = {
    "name": "Last-Event-ID",
    "in": "header",
    "required": False,
    "description": "The version that you have: it is not sent again, and nothing older is.",
    "schema": {"type": "string"},
}

_VERSION: Final = {"type": "string", "pattern": "^[0-9]+$"}


def _event(name: str, data: type[BaseModel]) -> dict[str, Any]:
    """Describe one event. (OpenAPI 3.2 would call it `itemSchema`; in 3.1, `schema` describes each event.)"""
    content = {"type": "string", "contentMediaType": "application/json", "contentSchema": reference(data)}
    return {
        "type": "object",
        "properties": {"id": _VERSION, "event": {"const": name}, "data": content},
        "required": ["id", "event", "data"],
    }


_EVENTS: Final = {"oneOf": [_event("leaderboard", LeaderboardResponse), _event("patch", PatchResponse)]}

LONGEST_VERSION: Final = 16
"""Digits of 2**53, beyond which no version lies."""

_EVENT_EXAMPLE: Final = {
    "id": "42",
    "event": "leaderboard",
    "data": '{"board":"main","version":42,"updatedAt":"2026-11-24T10:00:00.123456Z","players":0,"entries":[]}',
}

_REFUSED: Final = (
    problems.TokenInQuery(),
    errors.TokenMissing(),
    errors.TokenInvalid(),
    errors.TokenExpired(),
    errors.KeysUnavailable(),
)
"""Where boards are private; the first also where they are not."""

_BAD_QUERY: Final = (
    errors.UnknownBoard("no-such-board"),
    problems.ValidationFailed([problems.FieldMistake("limit", "Input should be less than or equal to 100")]),
)


def leaderboard_route(
    catalog: Catalog, board_cache: BoardCache, readers: BoardAccess, limit: ReadLimit
) -> AsgiRoute:
    """A page of a board, with an entity tag."""
    kept = b"no-cache" if readers.are_all else b"private, no-cache"

    async def get(scope: Scope, _receive: Receive, send: Send) -> None:
        limit.check(scope)
        parameters = query_parameters(scope)
        await readers.check(scope, parameters)
        query = parse_query(BoardQuery, parameters) if parameters else _FIRST_PAGE
        frame = await board_cache.page(catalog.board(query.board).id, query.limit, query.offset)
        headers = [(b"etag", frame.etag.encode()), (b"cache-control", kept), *limit.policies]
        if _matches(scope, frame.etag):
            await send({"type": "http.response.start", "status": 304, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
        else:
            await send_response(send, 200, frame.body, [JSON, *headers])

    etag = {"ETag": {"description": "Changes with the answer.", "schema": {"type": "string"}}}
    return AsgiRoute(
        "/api/leaderboard",
        get,
        methods=["GET"],
        policies=limit.policies,
        operation_id="readLeaderboard",
        tags=["leaderboard"],
        summary="Read a board",
        description="The board, best first, exactly as it is after `version` events.",
        response_model=LeaderboardResponse,
        response_description="A page of the board.",
        responses={
            200: {"headers": etag},
            304: {"description": "Nothing has changed since the given `If-None-Match`.", "headers": etag},
            **error_responses(
                *_REFUSED, *_BAD_QUERY, problems.ReadsLimited(1_000_000), errors.StoreUnavailable()
            ),
        },
        openapi_extra={
            "security": _EITHER_WAY,
            "parameters": [
                _BOARD,
                _number("limit", "How many entries.", 1, 100, 10),
                _number("offset", "How many entries to leave out first.", 0, 2**53 - 1, 0),
                {
                    "name": "If-None-Match",
                    "in": "header",
                    "required": False,
                    "description": "The `ETag` of an earlier answer.",
                    "schema": {"type": "string"},
                },
            ],
        },
    )


def stream_route(
    catalog: Catalog,
    publisher: Publisher,
    hub: Hub,
    healer: Healer,
    origin: Callable[[Scope], str | None],
    readers: BoardAccess,
    limit: ReadLimit,
) -> AsgiRoute:
    """A board as it changes, for a client that comes from an origin (where that has a limit)."""

    async def get(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            limit.check(scope)
        except problems.ReadsLimited as error:
            await refuse(hub, error, limit.policies, send)
            return
        parameters = query_parameters(scope)
        expires_at_us = await readers.check(scope, parameters)
        query = parse_query(StreamQuery, parameters) if parameters else _FIRST_BOARD
        board = catalog.board(query.board).id
        if scope["method"] == "HEAD":
            await head(send, limit.policies)
            return
        version = _last_event_id(scope)
        try:
            # Read the store, so that players see a score that they have just made on another instance.
            await publisher.publish(board)
            if version is not None and _is_ahead(version, hub.newest(board)):
                # The client has seen a newer board on another instance.
                await healer.catch_up()
                await publisher.publish(board)
        except errors.StoreUnavailable as error:
            # An EventSource does not reconnect after a 503.
            await refuse(hub, error, limit.policies, send)
            return
        request = StreamRequest(board, query.delta == "1", version, origin(scope), expires_at_us)
        await stream(hub, request, limit.policies, scope, receive, send)

    return AsgiRoute(
        "/api/leaderboard/stream",
        get,
        methods=["GET"],
        policies=limit.policies,
        operation_id="watchLeaderboard",
        tags=["leaderboard"],
        summary="Watch a board",
        description=(
            "Server-Sent Events named `leaderboard`: the top 10 at once, and again whenever it has changed. "
            "`id` is the board's version, `data` has the shape of `GET /api/leaderboard`. With `delta=1` a change may "
            "come as an event named `patch`: `data` then has the new rows alone, for whoever has the version `after`."
        ),
        response_class=StreamingResponse,
        responses={
            200: {
                "description": "Events, until you leave.",
                "content": {"text/event-stream": {"schema": _EVENTS, "example": _EVENT_EXAMPLE}},
            },
            **error_responses(*_REFUSED, *_BAD_QUERY),
        },
        openapi_extra={"security": _EITHER_WAY, "parameters": [_BOARD, _DELTA, _LAST_EVENT_ID]},
    )


def _number(name: str, description: str, least: int, most: int, default: int) -> dict[str, Any]:
    schema = {"type": "integer", "minimum": least, "maximum": most, "default": default}
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


def _last_event_id(scope: Scope) -> int | None:
    """The version that the client has (Server-Sent Events, section 9.2.4). What cannot be one says nothing."""
    for name, value in scope["headers"]:
        if name == b"last-event-id" and value.isdigit() and len(value) <= LONGEST_VERSION:
            return int(value)
    return None


def _is_ahead(version: int, newest: Frame | None) -> bool:
    return newest is None or version > newest.snapshot.version


def _matches(scope: Scope, etag: str) -> bool:
    """`If-None-Match` (RFC 9110, section 13.1.2)."""
    for name, value in scope["headers"]:
        if name == b"if-none-match":
            tags = [tag.strip().removeprefix("W/") for tag in value.decode("latin-1").split(",")]
            if etag in tags or "*" in tags:
                return True
    return False
