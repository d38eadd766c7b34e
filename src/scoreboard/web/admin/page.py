"""`/admin`: a page in front of `/api/admin/…`. Ports that do not serve administrators answer 404."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from string import Template
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Scope

from scoreboard.domain.plain_text import MAX_REASON
from scoreboard.web.admin.port import IsAdminPort
from scoreboard.web.admin.requests import SuspectsQuery
from scoreboard.web.routes.page import HEADERS

FILES: Final = Path(__file__).parent / "page_files"


def admin_page_routes(is_admin_port: IsAdminPort) -> list[BaseRoute]:
    """Return the routes of `/admin` and its files. They need no token and contain no data of any board."""
    defaults = SuspectsQuery()
    page = Template((FILES / "admin.html").read_text(encoding="utf-8")).substitute(
        max_reason=MAX_REASON,
        days=f"{defaults.days:g}",
        an_hour=defaults.an_hour,
        irregularity=defaults.irregularity,
        behind_address=defaults.behind_address,
    )
    files = {path.name: path for path in FILES.iterdir() if path.suffix in {".js", ".css"}}

    async def show(_request: Request) -> Response:
        return HTMLResponse(page, headers=HEADERS)

    async def file(request: Request) -> Response:
        try:
            path = files[request.path_params["name"]]
        except KeyError as error:
            raise HTTPException(404) from error
        return FileResponse(path, headers={"Cache-Control": "no-cache"})

    return [
        _AdminPageRoute(is_admin_port, "/admin", show),
        _AdminPageRoute(is_admin_port, "/admin/{name}", file),
    ]


class _AdminPageRoute(Route):
    """A route that matches only requests to a port that serves administrators, whatever their method."""

    def __init__(
        self, is_admin_port: IsAdminPort, path: str, endpoint: Callable[[Request], Awaitable[Response]]
    ) -> None:
        super().__init__(path, endpoint)
        self._is_admin_port = is_admin_port

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        return super().matches(scope) if self._is_admin_port(scope) else (Match.NONE, {})
