"""GET /api/leaderboard"""

from dataclasses import replace
from typing import Final

from starlette.types import Receive, Scope, Send

from scoreboard.domain.boards import Board
from scoreboard.domain.standings import Snapshot
from scoreboard.fanout.board_cache import BoardCache
from scoreboard.fanout.encoding import board_document, entry_document
from scoreboard.services.board_periods import View
from scoreboard.services.board_queries import BoardQueries
from scoreboard.settings.catalog import Catalog
from scoreboard.web import problems
from scoreboard.web.api_route import AsgiRoute
from scoreboard.web.cursors import decode_cursor, encode_cursor
from scoreboard.web.openapi import error_responses, optional_parameter
from scoreboard.web.read_endpoint import ReadEndpoint
from scoreboard.web.read_parameters import (
    AGO,
    BOARD,
    ETAG,
    IF_NONE_MATCH,
    OPTIONAL_TOKEN,
    PERIOD,
    READ_ERRORS,
    integer,
)
from scoreboard.web.request_parts import parse_query
from scoreboard.web.schemas.fields import ID, MAX_LIMIT, MAX_OFFSET
from scoreboard.web.schemas.leaderboard import (
    CURSOR,
    MAX_USERS,
    USER_IDS,
    BoardQuery,
    LeaderboardResponse,
)

DESCRIPTION: Final = """\
The board after exactly `version` events, in the order of its ranks. Use one of `offset`, `cursor`, `around`
and `userIds`."""

_FIRST_PAGE: Final = BoardQuery()

_PARAMETERS: Final = [
    BOARD,
    PERIOD,
    AGO,
    optional_parameter(
        "limit", "The number of entries. By default, the board's `rows`.", integer(1, MAX_LIMIT)
    ),
    optional_parameter("offset", "The number of entries to skip. By default, none.", integer(0, MAX_OFFSET)),
    optional_parameter(
        "cursor",
        "Page by page: empty for the first page, then the `next` of the page before. While others move, a "
        "player who does not is neither repeated nor left out.",
        CURSOR,
    ),
    optional_parameter("around", "The rows around this player: none if the player is not on the board.", ID),
    optional_parameter(
        "userIds",
        f"The rows of these players: up to {MAX_USERS} user ids, separated by commas. Those that are not on "
        "the board are in `unknown`.",
        USER_IDS,
    ),
    IF_NONE_MATCH,
]


def leaderboard_route(
    catalog: Catalog, board_cache: BoardCache, queries: BoardQueries, endpoint: ReadEndpoint
) -> AsgiRoute:
    """Return the route of a page of a board, with an entity tag."""

    async def get(scope: Scope, _receive: Receive, send: Send) -> None:
        parameters = await endpoint.parameters(scope)
        query = parse_query(BoardQuery, parameters) if parameters else _FIRST_PAGE
        board = catalog.board(query.board)
        view = await queries.view(board, query.period, query.ago) if query.is_of_period else View(board)
        if query.asks_for_rows:
            document = await _rows(queries, view, query)
            await endpoint.respond_with(scope, send, document, is_over=view.is_over)
        else:
            frame = await board_cache.page(board.id, query.limit, query.offset or 0, view.period)
            await endpoint.respond(scope, send, frame.body, frame.etag, is_over=view.is_over)

    return AsgiRoute(
        "/api/leaderboard",
        get,
        methods=["GET"],
        policies=endpoint.policies,
        operation_id="readLeaderboard",
        tags=["leaderboard"],
        summary="Read a board",
        description=DESCRIPTION,
        response_model=LeaderboardResponse,
        response_description="A page of the board.",
        responses={
            200: {"headers": ETAG},
            304: {"description": "The page still has the entity tag in `If-None-Match`.", "headers": ETAG},
            **error_responses(
                *READ_ERRORS, problems.CursorInvalid(), problems.ConflictingParameters("offset", "cursor")
            ),
        },
        openapi_extra={"security": OPTIONAL_TOKEN, "parameters": _PARAMETERS},
    )


async def _rows(queries: BoardQueries, view: View, query: BoardQuery) -> dict[str, object]:
    """Return the rows that follow a cursor, are around a player, or are those of some players."""
    _check_one_of(query)
    limit = view.board.rows if query.limit is None else query.limit
    columns = view.board.column_ids
    if query.cursor is not None:
        length = len(view.board.definition.sorts) + 1
        position = decode_cursor(query.cursor, length) if query.cursor else None
        snapshot = await queries.after(view, position, limit)
        is_last = len(snapshot.entries) < limit
        following = None if is_last else encode_cursor(snapshot.entries[-1].position)
        return {**board_document(snapshot, columns), "next": following}
    if query.around is not None:
        return board_document(await queries.around(view, query.around, limit), columns)
    user_ids = query.users
    snapshot = await queries.players(view, user_ids)
    return _players(snapshot, user_ids, view.board)


def _players(snapshot: Snapshot, user_ids: list[str], board: Board) -> dict[str, object]:
    ranks = [entry.rank for entry in snapshot.entries]
    listed = {entry.user_id for entry in snapshot.entries}
    return {
        **board_document(replace(snapshot, entries=()), board.column_ids),
        "entries": [
            # Equal ranks are equal in the set, too.
            {**entry_document(entry, board.column_ids), "rankInSet": 1 + ranks.index(entry.rank)}
            for entry in snapshot.entries
        ],
        "unknown": [user_id for user_id in user_ids if user_id not in listed],
    }


def _check_one_of(query: BoardQuery) -> None:
    """Raise ConflictingParameters if there are several of the parameters that choose the rows."""
    given = [
        name
        for name, value in (
            ("offset", query.offset),
            ("cursor", query.cursor),
            ("around", query.around),
            ("userIds", query.user_ids),
        )
        if value is not None
    ]
    if len(given) > 1:
        raise problems.ConflictingParameters(*given[:2])
