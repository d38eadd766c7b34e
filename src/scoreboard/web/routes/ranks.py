"""GET /api/leaderboard/rank and GET /api/leaderboard/cutoffs"""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Final

from starlette.types import Receive, Scope, Send

from scoreboard.domain.standings import Entry, Snapshot
from scoreboard.fanout.encoding import board_document, entry_document
from scoreboard.services.board_queries import BoardQueries, Cutoffs, PlayerRank
from scoreboard.settings.catalog import Catalog
from scoreboard.web.api_route import AsgiRoute
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
from scoreboard.web.schemas.fields import ID
from scoreboard.web.schemas.ranks import (
    MAX_NEIGHBOURS,
    NEIGHBOURS,
    PERCENTS,
    RANKS,
    CutoffsQuery,
    CutoffsResponse,
    RankQuery,
    RankResponse,
)

RANK: Final = """\
A player's rank and score, with the rows above and below.

If the player is not on the board, `rank` is null, and `above` has the last rows of the board."""

CUTOFFS: Final = """\
The scores at some ranks, and at some percentages of all players: those that a player needs to be there."""

_USER_ID: Final = {"name": "userId", "in": "query", "required": True, "schema": ID, "example": "ada"}


def rank_route(catalog: Catalog, queries: BoardQueries, endpoint: ReadEndpoint) -> AsgiRoute:
    """Return the route of a player's rank."""

    async def get(scope: Scope, _receive: Receive, send: Send) -> None:
        query = parse_query(RankQuery, await endpoint.parameters(scope))
        view = await queries.view(catalog.board(query.board), query.period, query.ago)
        found = await queries.rank(view, query.user_id, query.neighbours)
        document = _rank(found, query.user_id, view.board.column_ids)
        await endpoint.respond_with(scope, send, document, is_over=view.is_over)

    return AsgiRoute(
        "/api/leaderboard/rank",
        get,
        methods=["GET"],
        policies=endpoint.policies,
        operation_id="readRank",
        tags=["leaderboard"],
        summary="Read a player's rank",
        description=RANK,
        response_model=RankResponse,
        response_description="The player on the board.",
        responses={
            200: {"headers": ETAG},
            304: {"description": "The response still has this entity tag.", "headers": ETAG},
            **error_responses(*READ_ERRORS),
        },
        openapi_extra={
            "security": OPTIONAL_TOKEN,
            "parameters": [
                BOARD,
                _USER_ID,
                PERIOD,
                AGO,
                optional_parameter(
                    "neighbours",
                    "The number of rows above and below.",
                    integer(0, MAX_NEIGHBOURS, default=NEIGHBOURS),
                ),
                IF_NONE_MATCH,
            ],
        },
    )


def cutoffs_route(catalog: Catalog, queries: BoardQueries, endpoint: ReadEndpoint) -> AsgiRoute:
    """Return the route of the scores at ranks and percentages."""

    async def get(scope: Scope, _receive: Receive, send: Send) -> None:
        query = parse_query(CutoffsQuery, await endpoint.parameters(scope))
        view = await queries.view(catalog.board(query.board), query.period, query.ago)
        found = await queries.cutoffs(view, query.all_ranks, query.all_percents)
        document = _cutoffs(found, view.board.column_ids)
        await endpoint.respond_with(scope, send, document, is_over=view.is_over)

    return AsgiRoute(
        "/api/leaderboard/cutoffs",
        get,
        methods=["GET"],
        policies=endpoint.policies,
        operation_id="readCutoffs",
        tags=["leaderboard"],
        summary="Read the scores at ranks and percentages",
        description=CUTOFFS,
        response_model=CutoffsResponse,
        response_description="The scores.",
        responses={
            200: {"headers": ETAG},
            304: {"description": "The response still has this entity tag.", "headers": ETAG},
            **error_responses(*READ_ERRORS),
        },
        openapi_extra={
            "security": OPTIONAL_TOKEN,
            "parameters": [
                BOARD,
                PERIOD,
                AGO,
                optional_parameter(
                    "ranks",
                    "Ranks, separated by commas. By default 1,10,100 without `percent`.",
                    RANKS,
                ),
                optional_parameter(
                    "percent",
                    "Percentages, separated by commas: `1` is the top 1 % of all players.",
                    PERCENTS,
                ),
                IF_NONE_MATCH,
            ],
        },
    )


def _state(snapshot: Snapshot) -> dict[str, object]:
    """Return what `board_document` says about the board, without rows."""
    document = board_document(replace(snapshot, entries=()), ())
    del document["entries"]
    return document


def _rank(found: PlayerRank, user_id: str, columns: Sequence[str]) -> dict[str, object]:
    entry, players = found.entry, found.snapshot.players
    document = _state(found.snapshot)
    document |= {"userId": user_id, "rank": None, "score": None}
    if entry is not None:
        document |= entry_document(entry, columns)
    document |= {
        "percentile": None if entry is None else _percentile(entry.rank, players),
        "pointsToNextRank": None
        if entry is None or found.next is None
        else abs(found.next.score - entry.score),
        "above": [entry_document(each, columns) for each in found.above],
        "below": [entry_document(each, columns) for each in found.below],
    }
    return document


def _percentile(rank: int, players: int) -> float:
    """Return the percentage of the players who do not have a better rank, rounded down to two decimals."""
    return (players - rank + 1) * 10_000 // players / 100


def _cutoffs(found: Cutoffs, columns: Sequence[str]) -> dict[str, object]:
    document = _state(found.snapshot)
    document["ranks"] = [{"rank": rank, **_values(entry, columns)} for rank, entry in found.ranks]
    document["percent"] = [
        {"percent": _number(percent), "rank": rank or None, **_values(entry, columns)}
        for percent, rank, entry in found.percents
    ]
    return document


def _values(entry: Entry | None, columns: Sequence[str]) -> dict[str, object]:
    values: dict[str, object] = {"score": None if entry is None else entry.score}
    if columns and entry is not None:
        values["columns"] = dict(zip(columns, entry.columns, strict=True))
    return values


def _number(percent: Fraction) -> int | float:
    return percent.numerator if percent.denominator == 1 else float(percent)
