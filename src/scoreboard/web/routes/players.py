"""PUT /api/players/{userId}/name: a trusted server renames a player."""

from typing import Annotated, Final

from fastapi import Depends, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.routing import BaseRoute

from scoreboard.domain import errors
from scoreboard.domain.administration import Correction
from scoreboard.domain.events import EventKind
from scoreboard.domain.scopes import WRITE_ANY_SCORES
from scoreboard.domain.submissions import Caller
from scoreboard.services.administer import Administration
from scoreboard.web import problems
from scoreboard.web.api_route import ApiRoute
from scoreboard.web.auth.tokens import Tokens
from scoreboard.web.dependencies import (
    AUTHENTICATION_ERRORS,
    BODY_ERRORS,
    Authenticate,
    JsonBody,
    require_json,
)
from scoreboard.web.limits.rate_headers import SERVER, policies
from scoreboard.web.limits.server_limit import ServerLimit
from scoreboard.web.openapi import error_responses
from scoreboard.web.request_parts import parse_query
from scoreboard.web.schemas.fields import ID, Id, Name, Schema

DESCRIPTION: Final = """\
Rename a player who has a score, on all boards and open streams.

A later submission with a name replaces it, and so does a later token with a name. A name that an
administrator has set is not replaced. The audit log records the caller, but no names."""

REASON: Final = "Renamed by a trusted server."


class NameRequest(Schema):
    """The new name."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Ada Lovelace"}]})

    name: Annotated[
        Name,
        Field(
            description="Cleaned for display. If null or without visible characters, boards show the user id."
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


class _Path(BaseModel):
    user_id: Annotated[Id, Field(alias="userId")]


def name_route(administration: Administration, tokens: Tokens, server_limit: ServerLimit) -> BaseRoute:
    """Return the route."""
    trusted_server = Authenticate(tokens, WRITE_ANY_SCORES)

    async def check_limit(caller: Annotated[Caller, Depends(trusted_server)]) -> None:
        server_limit.check(caller)

    async def player(request: Request) -> str:
        return parse_query(_Path, request.path_params).user_id

    async def rename(
        caller: Annotated[Caller, Depends(trusted_server)],
        user_id: Annotated[str, Depends(player)],
        request: Annotated[NameRequest, Depends(JsonBody(NameRequest))],
    ) -> NameResponse:
        corrected = await administration.correct(
            Correction(EventKind.RENAME, caller.user_id, REASON, user_id=user_id, name=request.name)
        )
        return NameResponse(user_id=user_id, name=request.name, versions=dict(corrected.versions))

    return ApiRoute(
        "/api/players/{userId:path}/name",
        rename,
        methods=["PUT"],
        dependencies=[Depends(trusted_server), Depends(check_limit), Depends(require_json)],
        policies=policies({SERVER: server_limit.limit}),
        operation_id="renamePlayer",
        tags=["players"],
        summary="Rename a player",
        description=DESCRIPTION,
        responses=error_responses(
            *AUTHENTICATION_ERRORS,
            *BODY_ERRORS,
            errors.InsufficientScope(WRITE_ANY_SCORES),
            errors.UnknownPlayer("nobody"),
            errors.NameKept(),
            problems.ValidationFailed([problems.FieldMistake("name", "Field required")]),
            problems.ServerLimited(1_000_000),
            errors.StoreUnavailable(),
            errors.OutcomeUnknown(),
        ),
        openapi_extra={"parameters": [{"name": "userId", "in": "path", "required": True, "schema": ID}]},
    )
