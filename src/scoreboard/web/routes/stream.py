"""GET /api/leaderboard/stream"""

from collections.abc import Callable
from typing import Any, Final

from pydantic import BaseModel
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from scoreboard.domain import errors
from scoreboard.domain.boards import ALL_TIME
from scoreboard.fanout.encoding import Frame
from scoreboard.fanout.hub import Hub
from scoreboard.fanout.publisher import Publisher
from scoreboard.fanout.stream_view import StreamView
from scoreboard.fanout.subscriber import StreamRequest
from scoreboard.services.heal import Healer
from scoreboard.settings.catalog import Catalog
from scoreboard.web import problems
from scoreboard.web.api_route import AsgiRoute
from scoreboard.web.auth.board_access import BoardAccess
from scoreboard.web.limits.read_limit import ReadLimit
from scoreboard.web.openapi import error_responses, optional_parameter, reference
from scoreboard.web.read_parameters import BOARD, BOARD_ERRORS, OPTIONAL_TOKEN, integer
from scoreboard.web.request_parts import parse_query, query_parameters
from scoreboard.web.schemas.fields import MAX_LIMIT
from scoreboard.web.schemas.leaderboard import (
    STREAM_PERIOD_SCHEMA,
    LeaderboardResponse,
    PatchResponse,
    StreamQuery,
)
from scoreboard.web.streaming.response import head, refuse, stream

DESCRIPTION: Final = """\
Server-Sent Events named `leaderboard`: the top rows at once, and again after each change. `id` is the board's
version, and `data` is like the body of `GET /api/leaderboard`. With `delta=1`, a change may be an event named
`patch`: its `data` has only the changed rows, for a client with the version `after`."""

_FIRST_BOARD: Final = StreamQuery()

_PERIOD: Final = optional_parameter(
    "period",
    "`all`, or a kind of period for the one that is open. When it ends, the stream shows the next one.",
    STREAM_PERIOD_SCHEMA,
)

_LIMIT: Final = optional_parameter(
    "limit", "The number of entries. By default, the board's `rows`.", integer(1, MAX_LIMIT)
)

_DELTA: Final = optional_parameter(
    "delta",
    "1: send only the changes, if they take less than half of the bytes of the whole board.",
    {"type": "string", "enum": ["0", "1"], "default": "0"},
)

_LAST_EVENT_ID: Final = optional_parameter(
    "Last-Event-ID",
    "The version that the client has. It is not sent again.",
    {"type": "string"},
    "header",
)

_PARAMETERS: Final = [BOARD, _PERIOD, _LIMIT, _DELTA, _LAST_EVENT_ID]

_VERSION: Final = {"type": "string", "pattern": "^[0-9]+$"}


def _event(name: str, data: type[BaseModel]) -> dict[str, Any]:
    """Describe an event. OpenAPI 3.2 has `itemSchema` for it; in 3.1, `schema` describes each event."""
    content = {"type": "string", "contentMediaType": "application/json", "contentSchema": reference(data)}
    return {
        "type": "object",
        "properties": {"id": _VERSION, "event": {"const": name}, "data": content},
        "required": ["id", "event", "data"],
    }


_EVENTS: Final = {"oneOf": [_event("leaderboard", LeaderboardResponse), _event("patch", PatchResponse)]}

MAX_VERSION_DIGITS: Final = 16
"""The digits of 2**53, which exceeds every version."""

_EVENT_EXAMPLE: Final = {
    "id": "42",
    "event": "leaderboard",
    "data": '{"board":"main","version":42,"updatedAt":"2026-11-24T10:00:00Z","players":0,"entries":[]}',
}

OPENAPI: Final[dict[str, Any]] = {
    "operation_id": "watchLeaderboard",
    "tags": ["leaderboard"],
    "summary": "Watch a board",
    "description": DESCRIPTION,
    "response_class": StreamingResponse,
    "responses": {
        200: {
            "description": "Events, until the client disconnects.",
            "content": {"text/event-stream": {"schema": _EVENTS, "example": _EVENT_EXAMPLE}},
        },
        **error_responses(*BOARD_ERRORS, errors.UnknownPeriod("week", "main"), errors.TooManyViews()),
    },
    "schemas": [PatchResponse],
    "openapi_extra": {"security": OPTIONAL_TOKEN, "parameters": _PARAMETERS},
}
"""The route in the OpenAPI document."""


def stream_route(
    catalog: Catalog,
    publisher: Publisher,
    hub: Hub,
    healer: Healer,
    access: BoardAccess,
    limit: ReadLimit,
    client_address: Callable[[Scope], str | None] | None,
) -> AsgiRoute:
    """Return the route. With `client_address`, the hub limits the streams of each address."""

    async def get(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            limit.check(scope)
        except problems.ReadsLimited as error:
            await refuse(hub, error, limit.policies, send)
            return
        parameters = query_parameters(scope)
        expires_at_us = await access.check(scope, parameters)
        query = parse_query(StreamQuery, parameters) if parameters else _FIRST_BOARD
        view = _view(catalog, query)
        if scope["method"] == "HEAD":
            await head(send, limit.policies)
            return
        version = _last_event_id(scope)
        hub.open(view)
        try:
            # Read the board now: it may have a score that the player has just made on another instance.
            await publisher.publish(view)
            if version is not None and _is_ahead(version, hub.newest(view)):
                # The client has seen a newer board on another instance.
                await healer.catch_up()
                await publisher.publish(view)
        except errors.StoreUnavailable as error:
            # An EventSource does not reconnect after a 503.
            await refuse(hub, error, limit.policies, send)
            return
        address = None if client_address is None else client_address(scope)
        request = StreamRequest(view, query.delta == "1", version, address, expires_at_us)
        await stream(hub, request, limit.policies, scope, receive, send)

    return AsgiRoute("/api/leaderboard/stream", get, methods=["GET"], policies=limit.policies, **OPENAPI)


def _view(catalog: Catalog, query: StreamQuery) -> StreamView:
    """Return the view of a stream. Raises UnknownBoard, UnknownPeriod."""
    board = catalog.board(query.board)
    if query.period != ALL_TIME and query.period not in board.definition.periods:
        raise errors.UnknownPeriod(query.period, board.id)
    return StreamView(board.id, query.period, None if query.limit == board.rows else query.limit)


def _last_event_id(scope: Scope) -> int | None:
    """Return the version that the client has (Server-Sent Events, section 9.2.4). Ignore an invalid one."""
    for name, value in scope["headers"]:
        if name == b"last-event-id" and value.isdigit() and len(value) <= MAX_VERSION_DIGITS:
            return int(value)
    return None


def _is_ahead(version: int, newest: Frame | None) -> bool:
    return newest is None or version > newest.snapshot.version
