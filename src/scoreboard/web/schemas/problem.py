"""The schema of an error response."""

from typing import Annotated

from pydantic import Field

from scoreboard.web.schemas.fields import Schema


class FieldProblem(Schema):
    """An invalid field."""

    field: str
    message: str


class ProblemResponse(Schema):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    code: Annotated[str, Field(description="Stable, for programs.")]
    detail: Annotated[str, Field(description="For people: what is wrong, and what to do.")]
    errors: Annotated[list[FieldProblem] | None, Field(description="Each invalid field.")] = None
