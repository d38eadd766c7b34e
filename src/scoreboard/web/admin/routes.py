"""`/api/admin/…`: searches and corrections, for tokens with the scope `scoreboard:admin`."""

from collections.abc import Callable
from typing import Annotated, Any, Final, TypeVar

from fastapi import APIRouter, Depends, Query
from starlette.routing import BaseRoute, Match
from starlette.types import Scope

from scoreboard.domain import errors
from scoreboard.domain.administration import SuspicionThresholds
from scoreboard.domain.events import EventKind
from scoreboard.domain.scopes import ADMINISTER
from scoreboard.domain.submissions import Caller
from scoreboard.services.administer import Administration
from scoreboard.web import problems
from scoreboard.web.admin import requests, responses
from scoreboard.web.admin.port import IsAdminPort
from scoreboard.web.admin.responses import CorrectedResponse, read_cursor
from scoreboard.web.api_route import ApiRoute
from scoreboard.web.auth.tokens import Tokens
from scoreboard.web.dependencies import (
    AUTHENTICATION_ERRORS,
    BODY_ERRORS,
    Authenticate,
    IdempotencyKey,
    JsonBody,
    no_store,
    require_json,
)
from scoreboard.web.openapi import error_responses

Body = TypeVar("Body", bound=requests.CorrectionRequest)

_ERRORS: Final = (*AUTHENTICATION_ERRORS, errors.InsufficientScope(ADMINISTER), errors.StoreUnavailable())

_QUERY_ERRORS: Final = (
    *_ERRORS,
    problems.ValidationFailed([problems.FieldMistake("limit", "Input should be at most 100")]),
)
_CORRECTION_ERRORS: Final = (
    *_ERRORS,
    *BODY_ERRORS,
    problems.ValidationFailed([problems.FieldMistake("reason", "Field required")]),
    errors.QueueFull(),
    errors.ClockUnsure(30_000_000),
    errors.OutcomeUnknown(),
)
_NO_PLAYER: Final = errors.UnknownPlayer("nobody")
_NO_BOARD: Final = errors.UnknownBoard("no-such-board")


def admin_routes(
    administration: Administration, tokens: Tokens, is_admin_port: IsAdminPort
) -> list[BaseRoute]:
    """Return the routes. Ports that do not serve administrators answer 404, whatever the method."""

    class AdminRoute(ApiRoute):
        def matches(self, scope: Scope) -> tuple[Match, Scope]:
            return super().matches(scope) if is_admin_port(scope) else (Match.NONE, {})

    administrator = Authenticate(tokens, ADMINISTER)
    router = APIRouter(
        prefix="/api/admin",
        tags=["admin"],
        dependencies=[Depends(administrator), Depends(no_store)],
        route_class=AdminRoute,
    )
    _add_searches(router, administration)
    _add_corrections(router, administration, administrator)
    return router.routes


def _add_searches(router: APIRouter, administration: Administration) -> None:
    def get(name: str, summary: str, *known: errors.ScoreboardError) -> Callable[..., Any]:
        return router.get(
            f"/{name}",
            operation_id=f"admin-{name}",
            summary=summary,
            responses=error_responses(*_QUERY_ERRORS, *known),
        )

    @get("players", "Search players")
    async def players(query: Annotated[requests.PlayersQuery, Query()]) -> responses.PlayersResponse:
        found = await administration.players(query.search, query.limit)
        return responses.PlayersResponse(players=[responses.PlayerResponse.of(each) for each in found])

    @get("history", "Show a player's events", _NO_PLAYER)
    async def history(query: Annotated[requests.HistoryQuery, Query()]) -> responses.RecordsResponse:
        found = await administration.history(query.user_id, read_cursor(query.before), query.limit)
        return responses.RecordsResponse.of(found, query.limit)

    @get("events", "Read the audit log")
    async def events(query: Annotated[requests.EventsQuery, Query()]) -> responses.RecordsResponse:
        found = await administration.corrections(read_cursor(query.before), query.limit)
        return responses.RecordsResponse.of(found, query.limit)

    @get("suspects", "List suspects")
    async def suspects(query: Annotated[requests.SuspectsQuery, Query()]) -> responses.SuspectsResponse:
        thresholds = SuspicionThresholds(query.an_hour, query.irregularity, query.behind_address)
        found = await administration.suspects(query.days, thresholds, query.limit)
        return responses.SuspectsResponse.of(found, thresholds)


def _add_corrections(router: APIRouter, administration: Administration, administrator: Authenticate) -> None:
    def post(
        name: str, summary: str, kind: EventKind, body: type[Body], *known: errors.ScoreboardError
    ) -> None:
        @router.post(
            f"/{name}",
            operation_id=f"admin-{name}",
            summary=summary,
            dependencies=[Depends(require_json)],
            responses=error_responses(*_CORRECTION_ERRORS, *known),
        )
        async def correct(
            caller: Annotated[Caller, Depends(administrator)],
            key: Annotated[str | None, Depends(IdempotencyKey())],
            request: Annotated[Body, Depends(JsonBody(body))],
        ) -> CorrectedResponse:
            correction = request.correction(kind, caller.user_id)
            return CorrectedResponse.of(await administration.correct(correction, key))

    player = (requests.PlayerCorrectionRequest, _NO_PLAYER)
    post("ban", "Ban a player", EventKind.BAN, *player)
    post("unban", "End a ban", EventKind.UNBAN, *player)
    post("hide", "Hide a player, who may still score", EventKind.HIDE, *player)
    post("show", "Undo hiding a player", EventKind.SHOW, *player)
    post("rename", "Set or clear a player's name", EventKind.RENAME, requests.RenameRequest, _NO_PLAYER)
    post("release-name", "Let submissions change a name again", EventKind.RELEASE_NAME, *player)
    post("erase", "Erase a player's identity", EventKind.ERASE, *player)
    known = (
        _NO_PLAYER,
        _NO_BOARD,
        errors.NotAdjustable(),
        errors.ScoreOutOfRange(),
        errors.IdempotencyKeyReused(),
    )
    post("adjust", "Give or take points", EventKind.ADJUST, requests.AdjustRequest, *known)
    known_void = (
        _NO_BOARD,
        errors.UnknownEvent("main", 42),
        errors.EventNotVoidable(),
        errors.ScoreOutOfRange(),
    )
    post("void", "Void an event", EventKind.VOID, requests.EventCorrectionRequest, *known_void)
    post("unvoid", "Undo a void", EventKind.UNVOID, requests.EventCorrectionRequest, *known_void)
    known_since = (_NO_PLAYER, errors.ScoreOutOfRange())
    summary = "Void a player's awards since a time"
    post("void-since", summary, EventKind.VOID, requests.VoidSinceRequest, *known_since)
