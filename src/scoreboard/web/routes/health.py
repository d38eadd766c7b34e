"""GET /health/live and GET /health/ready, for process supervisors and load balancers."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Response
from pydantic import Field
from starlette.routing import BaseRoute

from scoreboard.fanout.hub import Hub
from scoreboard.services.clock_guard import ClockGuard
from scoreboard.services.heal import Healer
from scoreboard.web.api_route import ApiRoute
from scoreboard.web.schemas.fields import Schema

_PUBLIC: Final[dict[str, Any]] = {"security": []}


class LiveResponse(Schema):
    """The process responds."""

    status: Annotated[str, Field(examples=["live"])]


class ReadyResponse(Schema):
    """Whether a load balancer should send requests to this instance."""

    status: Annotated[str, Field(examples=["ready"])]
    degraded: Annotated[
        list[str],
        Field(description="Unavailable dependencies, and `clock` with `clock_unsure`.", examples=[[]]),
    ]


def health_routes(hub: Hub, healer: Healer, clock_guard: ClockGuard) -> list[BaseRoute]:
    """Return the routes."""
    router = APIRouter(prefix="/health", tags=["health"], route_class=ApiRoute)

    @router.get(
        "/live", operation_id="live", summary="Check that the process responds", openapi_extra=_PUBLIC
    )
    async def live() -> LiveResponse:
        """Does not check any dependency."""
        return LiveResponse(status="live")

    @router.get(
        "/ready",
        operation_id="ready",
        summary="Check whether to send requests here",
        openapi_extra=_PUBLIC,
        responses={503: {"model": ReadyResponse, "description": "The instance is shutting down."}},
    )
    async def ready(response: Response) -> ReadyResponse:
        """200 until the instance shuts down. Unavailable dependencies are listed with the same status.

        All instances share them, so another instance could not answer better.
        """
        if hub.is_draining:
            response.status_code = 503
        status = "draining" if hub.is_draining else "ready"
        degraded = healer.unavailable | {"clock"} if clock_guard.is_unsure else healer.unavailable
        return ReadyResponse(status=status, degraded=sorted(degraded))

    return router.routes
