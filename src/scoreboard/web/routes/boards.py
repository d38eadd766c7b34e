"""GET /api/boards"""

from starlette.types import Receive, Scope, Send

from scoreboard.domain import errors
from scoreboard.domain.boards import Board
from scoreboard.domain.periods import Period
from scoreboard.fanout.encoding import timestamp
from scoreboard.ports.clock import Clock
from scoreboard.services.board_queries import BoardQueries
from scoreboard.settings.catalog import Catalog
from scoreboard.web import problems
from scoreboard.web.api_route import AsgiRoute
from scoreboard.web.openapi import error_responses
from scoreboard.web.read_endpoint import ReadEndpoint
from scoreboard.web.read_parameters import ACCESS_ERRORS, OPTIONAL_TOKEN
from scoreboard.web.schemas.boards import BoardsResponse


def boards_route(catalog: Catalog, queries: BoardQueries, clock: Clock, endpoint: ReadEndpoint) -> AsgiRoute:
    """Return the route of the list of all boards."""

    async def get(scope: Scope, _receive: Receive, send: Send) -> None:
        await endpoint.parameters(scope)
        boards = [_board(board, await queries.open_periods(board)) for board in catalog.boards.values()]
        await endpoint.respond_with(scope, send, {"time": timestamp(clock.now_us()), "boards": boards})

    return AsgiRoute(
        "/api/boards",
        get,
        methods=["GET"],
        policies=endpoint.policies,
        operation_id="readBoards",
        tags=["leaderboard"],
        summary="List the boards",
        description="All boards in the order of the catalog, with their definitions and open periods.",
        response_model=BoardsResponse,
        response_description="All boards.",
        responses=error_responses(
            *ACCESS_ERRORS, problems.ReadsLimited(1_000_000), errors.StoreUnavailable()
        ),
        openapi_extra={"security": OPTIONAL_TOKEN},
    )


def _board(board: Board, open_periods: tuple[Period, ...]) -> dict[str, object]:
    definition = board.definition
    return {
        "id": board.id,
        "title": board.title,
        "aggregation": definition.aggregation.value,
        "sort": definition.sort.value,
        "ties": definition.ties.value,
        "columns": [
            {
                "id": column.id,
                "sort": column.sort.value,
                "aggregation": column.aggregation.value,
                "decimals": column.decimals,
            }
            for column in definition.columns
        ],
        "decimals": board.decimals,
        "unit": board.unit,
        "rows": board.rows,
        "timezone": str(board.timezone),
        "opensAt": _time(board.opens_at_us),
        "closesAt": _time(board.closes_at_us),
        "periods": [
            {
                "kind": period.kind.value,
                "id": period.id,
                "beginsAt": timestamp(period.begins_us),
                "endsAt": timestamp(period.ends_us),
            }
            for period in open_periods
        ],
    }


def _time(at_us: int | None) -> str | None:
    return None if at_us is None else timestamp(at_us)
