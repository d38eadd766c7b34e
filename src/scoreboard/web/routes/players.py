"""PUT /api/players/{userId}/name"""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field
from starlette.types import Receive, Scope, Send

from scoreboard.domain import errors
from scoreboard.domain.administration import Correction
from scoreboard.domain.events import EventKind
from scoreboard.domain.scopes import WRITE_ANY_SCORES
from scoreboard.services.administer import Administration
from scoreboard.web import problems
from scoreboard.web.auth.tokens import Tokens
from scoreboard.web.direct_route import JSON_HEADERS, DirectRoute, answer, documented, reference
from scoreboard.web.limits.rate_headers import SERVER, policies
from scoreboard.web.limits.server_limit import ServerLimit
from scoreboard.web.middleware.request_log import USER
from scoreboard.web.request_body import MAX_BODY_BYTES, check_json, read_body
from scoreboard.web.schemas.public import ID, Id, Name, Schema, read_json, read_query

DESCRIPTION: Final = """\
Rename a player who has a score, on every board and every screen.

A name in a later submission replaces it: of the player's own token, or of a trusted server. A name that an
operator has set stays. The audit log keeps who has renamed, and no name."""

REASON: Final = "Renamed by a trusted server."


class NameRequest(Schema):
    """The new name."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Ada Lovelace"}]})

    name: Annotated[
        Name,
        Field(
            description="Cleaned for display. If nothing visible is left, or null: boards show the user id."
        ),
    ]


class NameResponse(Schema):
    """The player's name on boards after the change."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    user_id: str
    name: str | None
    versions: Annotated[
        dict[str, int], Field(description="The new version of each board; empty if nothing changed.")
    ]


class _Place(BaseModel):
    user_id: Annotated[Id, Field(alias="userId")]


def name_route(administration: Administration, tokens: Tokens, servers: ServerLimit) -> DirectRoute:
    """Return the route, for a service and its authenticator."""
    limits = policies({SERVER: servers.limit})

    async def put(scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        caller = await tokens.verify(headers.get(b"authorization"))
        scope[USER] = caller.user_id
        if WRITE_ANY_SCORES not in caller.scopes:
            raise errors.InsufficientScope(WRITE_ANY_SCORES)
        servers.check(caller)
        check_json(headers)
        user_id = read_query(_Place, scope["path_params"]).user_id
        request = read_json(NameRequest, await read_body(headers, receive))
        corrected = await administration.correct(
            Correction(EventKind.RENAME, caller.user_id, REASON, user_id=user_id, name=request.name)
        )
        document = NameResponse(user_id=user_id, name=request.name, versions=dict(corrected.versions))
        await answer(send, 200, document.model_dump_json(by_alias=True).encode(), [JSON_HEADERS, *limits])

    return DirectRoute(
        "/api/players/{userId:path}/name",
        put,
        methods=["PUT"],
        policies=limits,
        operation_id="renamePlayer",
        tags=["players"],
        summary="Rename a player",
        description=DESCRIPTION,
        response_model=NameResponse,
        responses=documented(
            problems.BodyNotJson(),
            problems.BodyIncomplete(),
            errors.TokenMissing(),
            errors.TokenInvalid(),
            errors.TokenExpired(),
            errors.InsufficientScope(WRITE_ANY_SCORES),
            errors.UnknownPlayer("nobody"),
            errors.NameKept(),
            problems.BodyTooLarge(MAX_BODY_BYTES),
            problems.UnsupportedMediaType(),
            problems.ValidationFailed([problems.FieldMistake("name", "Field required")]),
            problems.ServerLimited(1_000_000),
            errors.StoreUnavailable(),
            errors.OutcomeUnknown(),
            errors.KeysUnavailable(),
        ),
        openapi_extra={
            "security": [{"bearer": []}],
            "parameters": [{"name": "userId", "in": "path", "required": True, "schema": ID}],
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": reference(NameRequest)}},
            },
        },
    )
