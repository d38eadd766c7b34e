"""Schemas of GET /health/live and GET /health/ready."""

from typing import Annotated

from pydantic import Field

from scoreboard.web.schemas.fields import Schema


class LiveResponse(Schema):
    """The process responds."""

    status: Annotated[str, Field(examples=["live"])]


class ReadyResponse(Schema):
    """Whether a load balancer should send requests to this instance."""

    status: Annotated[str, Field(examples=["ready"])]
    degraded: Annotated[
        list[str],
        Field(
            description="Unavailable dependencies, and `clock` with `clock_unsure`.",
            examples=[[]],
        ),
    ]
