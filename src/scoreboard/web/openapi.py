"""The OpenAPI document: what routes say about their errors and schemas, and the document itself."""

from collections.abc import Sequence
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.routing import BaseRoute

from scoreboard.domain.errors import ScoreboardError
from scoreboard.web import problems
from scoreboard.web.api_route import ApiRoute
from scoreboard.web.schemas.problem import ProblemResponse

_SCHEMA: Final = "#/components/schemas/{model}"

_HEADERS: Final = {
    "Retry-After": "The time until a retry may succeed, in seconds.",
    "RateLimit": "The limit that is used up: 0 requests left (`r`) for `t` seconds.",
    "WWW-Authenticate": "How to authenticate (RFC 6750).",
}
"""The headers of errors that the document describes."""


def reference(schema: type[BaseModel]) -> dict[str, str]:
    """Return a reference to a schema of the document."""
    return {"$ref": _SCHEMA.format(model=schema.__name__)}


def json_body(schema: type[BaseModel]) -> dict[str, Any]:
    """Return the description of a required JSON body."""
    return {"required": True, "content": {"application/json": {"schema": reference(schema)}}}


def optional_parameter(
    name: str, description: str, schema: dict[str, Any], place: str = "query", **more: str
) -> dict[str, Any]:
    """Describe an optional parameter."""
    return {
        "name": name,
        "in": place,
        "required": False,
        "description": description,
        "schema": schema,
        **more,
    }


def error_responses(*examples: ScoreboardError) -> dict[int | str, dict[str, Any]]:
    """Return the description of a route's errors, for its `responses`, with an example of each."""
    responses: dict[int | str, dict[str, Any]] = {}
    for error in examples:
        problem = problems.problem(error)
        response = responses.setdefault(
            problem.status,
            {
                "description": problem.document["title"],
                "content": {problems.MEDIA_TYPE: {"schema": reference(ProblemResponse), "examples": {}}},
            },
        )
        response["content"][problems.MEDIA_TYPE]["examples"][error.code] = {"value": problem.document}
        for name, value in problem.headers.items():
            if name in _HEADERS:
                header = {"description": _HEADERS[name], "schema": {"type": "string"}, "example": value}
                response.setdefault("headers", {}).setdefault(name, header)
    return responses


def make_document(application: FastAPI, routes: Sequence[BaseRoute]) -> dict[str, Any]:
    """Return the document of some routes."""
    bodies = [schema for route in routes if isinstance(route, ApiRoute) for schema in route.schemas]
    document = get_openapi(
        title=application.title,
        version=application.version,
        openapi_version=application.openapi_version,
        description=application.description,
        license_info=application.license_info,
        servers=application.servers,
        routes=routes,
    )
    _, schemas = models_json_schema(
        [*((body, "validation") for body in bodies), (ProblemResponse, "serialization")],
        ref_template=_SCHEMA,
    )
    components = document.setdefault("components", {})
    components.setdefault("schemas", {}).update(schemas["$defs"])
    components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    return document
