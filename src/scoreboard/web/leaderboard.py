"""GET /api/leaderboard and GET /api/leaderboard/stream"""

from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from scoreboard import errors
from scoreboard.catalog import Catalog
from scoreboard.fanout.frames import Frames
from scoreboard.fanout.hub import Hub
from scoreboard.web import problems
from scoreboard.web.direct import JSON_HEADERS, DirectRoute, answer, documented
from scoreboard.web.schemas import BoardQuery, LeaderboardResponse, read_board_query
from scoreboard.web.stream import stream

_NO_QUERY: Final = BoardQuery()

_BOARD: Final[dict[str, Any]] = {
    "name": "board",
    "in": "query",
    "required": False,
    "description": "A board of the catalog; without it, the catalog's first.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 128},
    "example": "main",
}

_STREAM_EXAMPLE: Final = """\
retry: 2000

id: 42
event: leaderboard
data: {"board":"main","version":42,"updatedAt":"2026-11-24T10:00:00.123456Z","players":0,"entries":[]}

"""

_BAD_QUERY: Final = (
    errors.UnknownBoard("no-such-board"),
    problems.ValidationFailed([problems.FieldMistake("limit", "Input should be less than or equal to 100")]),
)


def leaderboard_route(catalog: Catalog, frames: Frames) -> DirectRoute:
    """A page of a board, with an entity tag."""

    async def get(scope: Scope, _receive: Receive, send: Send) -> None:
        query = _query(scope)
        frame = await frames.page(catalog.board(query.board).id, query.limit, query.offset)
        headers = [(b"etag", frame.etag.encode()), (b"cache-control", b"no-cache")]
        if _matches(scope, frame.etag):
            await send({"type": "http.response.start", "status": 304, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
        else:
            await answer(send, 200, frame.body, [JSON_HEADERS, *headers])

    etag = {"ETag": {"description": "Changes with the answer.", "schema": {"type": "string"}}}
    return DirectRoute(
        "/api/leaderboard",
        get,
        methods=["GET"],
        operation_id="readLeaderboard",
        tags=["leaderboard"],
        summary="Read a board",
        description="The board, best first, exactly as it is after `version` events.",
        response_model=LeaderboardResponse,
        response_description="A page of the board.",
        responses={
            200: {"headers": etag},
            304: {"description": "Nothing has changed since the given `If-None-Match`.", "headers": etag},
            **documented(*_BAD_QUERY, errors.StoreUnavailable()),
        },
        openapi_extra={
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
            ]
        },
    )


def stream_route(catalog: Catalog, frames: Frames, hub: Hub) -> DirectRoute:
    """A board as it changes."""

    async def get(scope: Scope, receive: Receive, send: Send) -> None:
        board = catalog.board(_query(scope).board).id
        # Whoever has just scored sees it, though word of it may still be on its way to this instance.
        await frames.publish(board)
        await stream(hub, board, scope, receive, send)

    return DirectRoute(
        "/api/leaderboard/stream",
        get,
        methods=["GET"],
        operation_id="watchLeaderboard",
        tags=["leaderboard"],
        summary="Watch a board",
        description=(
            "Server-Sent Events named `leaderboard`: the top 10 at once, and again whenever it has changed. "
            "`id` is the board's version, `data` has the shape of `GET /api/leaderboard`."
        ),
        response_class=StreamingResponse,
        responses={
            200: {
                "description": "Events, until you leave.",
                "content": {"text/event-stream": {"schema": {"type": "string"}, "example": _STREAM_EXAMPLE}},
            },
            **documented(*_BAD_QUERY, errors.StoreUnavailable()),
        },
        openapi_extra={"parameters": [_BOARD]},
    )


def _number(name: str, description: str, least: int, most: int, default: int) -> dict[str, Any]:
    schema = {"type": "integer", "minimum": least, "maximum": most, "default": default}
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


def _query(scope: Scope) -> BoardQuery:
    """Raises ValidationFailed."""
    text = scope["query_string"]
    return read_board_query(dict(parse_qsl(text.decode("latin-1"), keep_blank_values=True))) if text else _NO_QUERY


def _matches(scope: Scope, etag: str) -> bool:
    """`If-None-Match` (RFC 9110, section 13.1.2)."""
    for name, value in scope["headers"]:
        if name == b"if-none-match":
            tags = [tag.strip().removeprefix("W/") for tag in value.decode("latin-1").split(",")]
            if etag in tags or "*" in tags:
                return True
    return False
