"""GET /health/live and GET /health/ready"""

from typing import Any, Final

from fastapi import APIRouter, Response

from scoreboard.fanout.hub import Hub
from scoreboard.services.clock_guard import ClockGuard
from scoreboard.services.heal import Healer
from scoreboard.web.schemas.health import LiveResponse, ReadyResponse

_PUBLIC: Final[dict[str, Any]] = {"security": []}


def health_routes(hub: Hub, healer: Healer, clock_guard: ClockGuard) -> APIRouter:
    """For whoever starts, stops and balances instances."""
    router = APIRouter(prefix="/health", tags=["health"])

    @router.get("/live", operation_id="live", summary="Is the process alive?", openapi_extra=_PUBLIC)
    async def live() -> LiveResponse:
        """Asks nothing outside the process."""
        return LiveResponse(status="live")

    @router.get(
        "/ready",
        operation_id="ready",
        summary="Should requests be sent here?",
        openapi_extra=_PUBLIC,
        responses={
            503: {"model": ReadyResponse, "description": "It is being stopped: send no more requests."}
        },
    )
    async def ready(response: Response) -> ReadyResponse:
        """200 from start to drain. A lost partner is named, and does not make it fail: nobody else could do better."""
        if hub.is_draining:
            response.status_code = 503
        status = "draining" if hub.is_draining else "ready"
        degraded = healer.unavailable | {"clock"} if clock_guard.is_unsure else healer.unavailable
        return ReadyResponse(status=status, degraded=sorted(degraded))

    # Some balancers ask so. OpenAPI has one operation for both.
    router.add_api_route("/live", live, methods=["HEAD"], include_in_schema=False)
    router.add_api_route("/ready", ready, methods=["HEAD"], include_in_schema=False)
    return router
