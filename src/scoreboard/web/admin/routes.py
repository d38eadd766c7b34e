"""/api/admin/…: for whoever has the scope scoreboard:admin, and reaches the port that these routes are served on."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final

from pydantic import BaseModel
from starlette.routing import Match
from starlette.types import ASGIApp, Receive, Scope, Send

from scoreboard.domain import errors
from scoreboard.domain.administration import (
    Correction,
    EventCursor,
    LedgerRecord,
    PlayerStandings,
    SuspicionThresholds,
)
from scoreboard.domain.boards import MAX_SCORE
from scoreboard.domain.events import EventKind
from scoreboard.domain.scopes import ADMINISTER
from scoreboard.services.administer import Administration, reasons
from scoreboard.web import problems
from scoreboard.web.admin import schemas
from scoreboard.web.admin.port import IsAdminPort
from scoreboard.web.asgi_route import JSON, AsgiRoute, send_response
from scoreboard.web.auth.tokens import Tokens
from scoreboard.web.middleware.request_log import USER
from scoreboard.web.openapi import error_responses, json_body
from scoreboard.web.request_parts import (
    IDEMPOTENCY_KEY,
    MAX_BODY_BYTES,
    check_json,
    idempotency_key,
    parse_json,
    parse_query,
    query_parameters,
    read_body,
)
from scoreboard.web.schemas.fields import ID

Look = Callable[[Scope], Awaitable[BaseModel]]
Make = Callable[[Any, str], Correction]
"""A request's body, and who has sent it → what is to be corrected."""

NO_STORE: Final = (b"cache-control", b"no-store")

_REFUSALS: Final = (
    errors.TokenMissing(),
    errors.TokenInvalid(),
    errors.TokenExpired(),
    errors.InsufficientScope(ADMINISTER),
    errors.KeysUnavailable(),
    errors.StoreUnavailable(),
)


def admin_routes(
    administration: Administration, tokens: Tokens, is_admin_port: IsAdminPort
) -> Sequence[AsgiRoute]:
    """The routes, over a service and what checks its tokens."""
    desk = _Desk(administration, tokens, is_admin_port)
    return [*_lookups(desk), *_corrections(desk)]


def _lookups(desk: "_Desk") -> Sequence[AsgiRoute]:
    service = desk.administration

    async def players(scope: Scope) -> BaseModel:
        query = parse_query(schemas.PlayersQuery, query_parameters(scope))
        found = await service.players(query.search, query.limit)
        return schemas.PlayersResponse(players=[_player(profile) for profile in found])

    async def history(scope: Scope) -> BaseModel:
        query = parse_query(schemas.HistoryQuery, query_parameters(scope))
        return _page(await service.history(query.user_id, _place(query.before), query.limit), query.limit)

    async def events(scope: Scope) -> BaseModel:
        query = parse_query(schemas.EventsQuery, query_parameters(scope))
        return _page(await service.corrections(_place(query.before), query.limit), query.limit)

    async def suspects(scope: Scope) -> BaseModel:
        query = parse_query(schemas.SuspectsQuery, query_parameters(scope))
        thresholds = SuspicionThresholds(query.an_hour, query.irregularity, query.behind_address)
        found = await service.suspects(query.days, thresholds, query.limit)
        return schemas.SuspectsResponse(
            suspects=[
                schemas.SuspectResponse(**asdict(s), reasons=list(reasons(s, thresholds))) for s in found
            ]
        )

    limit = _parameter("limit", {"type": "integer", "minimum": 1, "maximum": 100})
    before = _parameter("before", {"type": "string", "pattern": schemas.CURSOR}, "`next` of the page before.")
    search = _parameter("search", {**ID, "minLength": 0}, "The beginning of a user id, or a part of a name.")
    user = _parameter("userId", ID, required=True)
    thresholds = [
        _parameter(
            "days", {"type": "number", "exclusiveMinimum": 0, "maximum": schemas.MAX_DAYS}, "How far back."
        ),
        _parameter("anHour", _counted(1), "Awards in one hour of the clock."),
        _parameter(
            "irregularity", {"type": "number", "minimum": 0, "maximum": 10}, "Deviation / mean of intervals."
        ),
        _parameter("behindAddress", _counted(2), "Players behind one address."),
    ]
    return [
        desk.look("players", players, "Search players", schemas.PlayersResponse, [search, limit]),
        desk.look(
            "history", history, "Show a player's events", schemas.RecordsResponse, [user, before, limit],
            errors.UnknownPlayer("nobody"),
        ),
        desk.look("events", events, "Read the audit log", schemas.RecordsResponse, [before, limit]),
        desk.look("suspects", suspects, "Who stands out?", schemas.SuspectsResponse, [*thresholds, limit]),
    ]  # fmt: skip


def _corrections(desk: "_Desk") -> Sequence[AsgiRoute]:
    def about_player(kind: EventKind) -> Make:
        return lambda asked, actor: Correction(kind, actor, asked.reason, user_id=asked.user_id)

    def about_event(kind: EventKind) -> Make:
        return lambda asked, actor: Correction(
            kind, actor, asked.reason, board=asked.board, target_version=asked.version
        )

    def adjust(asked: schemas.AdjustRequest, actor: str) -> Correction:
        return Correction(
            EventKind.ADJUST,
            actor,
            asked.reason,
            user_id=asked.user_id,
            board=asked.board,
            points=asked.points,
        )

    def void_since(asked: schemas.VoidSinceRequest, actor: str) -> Correction:
        since_us = round(asked.since.timestamp() * 1_000_000)
        return Correction(EventKind.VOID, actor, asked.reason, user_id=asked.user_id, since_us=since_us)

    def rename(asked: schemas.RenameRequest, actor: str) -> Correction:
        return Correction(
            EventKind.RENAME, actor, asked.reason, user_id=asked.user_id, name=asked.name, keeps_name=True
        )

    player, event = schemas.PlayerCorrectionRequest, schemas.EventCorrectionRequest
    nobody = errors.UnknownPlayer("nobody")
    board = errors.UnknownBoard("no-such-board")
    of_event = (board, errors.UnknownEvent("main", 42), errors.EventNotVoidable(), errors.ScoreOutOfRange())
    return [
        desk.correct("ban", about_player(EventKind.BAN), "Ban a player", player, nobody),
        desk.correct("unban", about_player(EventKind.UNBAN), "End a ban", player, nobody),
        desk.correct("hide", about_player(EventKind.HIDE), "Hide a player, who may still score", player,
                     nobody),
        desk.correct("show", about_player(EventKind.SHOW), "Undo hiding a player", player, nobody),
        desk.correct("rename", rename, "Set or clear a player's name", schemas.RenameRequest, nobody),
        desk.correct("release-name", about_player(EventKind.RELEASE_NAME), "Let submissions change a set name again",
                     player, nobody),
        desk.correct("erase", about_player(EventKind.ERASE), "Erase who a player was", player, nobody),
        desk.correct("adjust", adjust, "Give or take points", schemas.AdjustRequest, nobody, board,
                     errors.ScoreOutOfRange(), errors.IdempotencyKeyReused()),
        desk.correct("void", about_event(EventKind.VOID), "Take an event's points back", event, *of_event),
        desk.correct("unvoid", about_event(EventKind.UNVOID), "Undo a void", event, *of_event),
        desk.correct("void-since", void_since, "Take back all that a player got since", schemas.VoidSinceRequest,
                     nobody, errors.ScoreOutOfRange()),
    ]  # fmt: skip


class _AdminRoute(AsgiRoute):
    """A route that is 404 on other ports, for every method."""

    def __init__(self, is_admin_port: IsAdminPort, path: str, direct: ASGIApp, **described: Any) -> None:
        super().__init__(path, direct, tags=["admin"], **described)
        self._is_admin_port = is_admin_port

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        return super().matches(scope) if self._is_admin_port(scope) else (Match.NONE, {})


class _Desk:
    """Makes routes that only administrators may use."""

    def __init__(self, administration: Administration, tokens: Tokens, is_admin_port: IsAdminPort) -> None:
        self.administration = administration
        self._tokens = tokens
        self._is_admin_port = is_admin_port

    async def _enter(self, scope: Scope) -> str:
        """Return the administrator. Raises Unauthorized, InsufficientScope, KeysUnavailable."""
        caller = await self._tokens.verify(dict(scope["headers"]).get(b"authorization"))
        scope["state"][USER] = caller.user_id
        if ADMINISTER not in caller.scopes:
            raise errors.InsufficientScope(ADMINISTER)
        return caller.user_id

    def look(
        self,
        name: str,
        look: Look,
        summary: str,
        response: type[BaseModel],
        parameters: Sequence[dict[str, Any]],
        *refusals: errors.ScoreboardError,
    ) -> AsgiRoute:
        async def get(scope: Scope, _receive: Receive, send: Send) -> None:
            await self._enter(scope)
            await _answer(send, await look(scope))

        bad_query = problems.ValidationFailed([problems.FieldMistake("limit", "Input should be at most 100")])
        return _AdminRoute(
            self._is_admin_port,
            f"/api/admin/{name}",
            get,
            methods=["GET"],
            operation_id=f"admin-{name}",
            summary=summary,
            response_model=response,
            responses=error_responses(*_REFUSALS, bad_query, *refusals),
            openapi_extra={"security": [{"bearer": []}], "parameters": list(parameters)},
        )

    def correct(
        self, name: str, make: Make, summary: str, body: type[BaseModel], *refusals: errors.ScoreboardError
    ) -> AsgiRoute:
        async def post(scope: Scope, receive: Receive, send: Send) -> None:
            actor = await self._enter(scope)
            headers = dict(scope["headers"])
            check_json(headers)
            key = idempotency_key(headers)
            asked = parse_json(body, await read_body(headers, receive))
            corrected = await self.administration.correct(make(asked, actor), key)
            await _answer(
                send, schemas.CorrectedResponse(events=corrected.events, versions=dict(corrected.versions))
            )

        bad_body = (
            problems.BodyNotJson(),
            problems.BodyIncomplete(),
            problems.BodyTooLarge(MAX_BODY_BYTES),
            problems.UnsupportedMediaType(),
            problems.ValidationFailed([problems.FieldMistake("reason", "Field required")]),
        )
        return _AdminRoute(
            self._is_admin_port,
            f"/api/admin/{name}",
            post,
            methods=["POST"],
            operation_id=f"admin-{name}",
            summary=summary,
            response_model=schemas.CorrectedResponse,
            responses=error_responses(
                *_REFUSALS, *bad_body, *refusals, errors.ClockUnsure(30_000_000), errors.OutcomeUnknown()
            ),
            schemas=[body],
            openapi_extra={
                "security": [{"bearer": []}],
                "parameters": [IDEMPOTENCY_KEY],
                "requestBody": json_body(body),
            },
        )


async def _answer(send: Send, document: BaseModel) -> None:
    await send_response(send, 200, document.model_dump_json(by_alias=True).encode(), [JSON, NO_STORE])


def _parameter(
    name: str, schema: dict[str, Any], description: str = "", *, required: bool = False
) -> dict[str, Any]:
    described = {"description": description} if description else {}
    return {"name": name, "in": "query", "required": required, **described, "schema": schema}


def _counted(least: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": least, "maximum": MAX_SCORE}


def _player(profile: PlayerStandings) -> schemas.PlayerResponse:
    player, standings = profile
    return schemas.PlayerResponse(
        user_id=player.user_id,
        name=player.name,
        is_banned=player.is_banned,
        is_hidden=player.is_hidden,
        is_name_kept=player.is_name_kept,
        submissions=player.seq,
        standings=[
            schemas.StandingResponse(board=board, score=s.score, listed=s.listed, version=s.version)
            for board, s in standings.items()
        ],
    )


def _page(records: Sequence[LedgerRecord], limit: int) -> schemas.RecordsResponse:
    after = records[-1].event if len(records) == limit else None
    return schemas.RecordsResponse(
        events=[_record(record) for record in records],
        next=None if after is None else _cursor(EventCursor(after.at_us, after.board, after.version)),
    )


def _record(record: LedgerRecord) -> schemas.RecordResponse:
    event = record.event
    return schemas.RecordResponse(
        event_id=event.event_id,
        board=event.board,
        version=event.version,
        kind=event.kind,
        user_id=record.known_user_id,
        action_id=event.action_id,
        points=event.points,
        score=event.score,
        at=datetime.fromtimestamp(event.reading_us / 1_000_000, UTC),
        is_void=record.is_void,
        target_version=event.target_version,
        actor=record.actor,
        reason=record.reason,
        token_id=event.provenance.token_id,
        address=_hex(event.provenance.address_hash),
        agent=_hex(event.provenance.agent_hash),
    )


def _hex(hash: int | None) -> str | None:
    """As text: JSON's numbers are not that exact everywhere."""
    return None if hash is None else f"{hash % 2**64:016x}"


def _cursor(cursor: EventCursor) -> str:
    return f"{cursor.at_us}-{cursor.version}-{cursor.board}"


def _place(cursor: str | None) -> EventCursor | None:
    """What `EventsQuery` has let pass."""
    if cursor is None:
        return None
    at_us, version, board = cursor.split("-", 2)
    return EventCursor(int(at_us), board, int(version))
