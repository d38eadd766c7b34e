"""`/admin`: what `/api/admin/…` can do, as a page. By another port than administrators' there is nothing here."""

from collections.abc import Awaitable, Callable
from string import Template
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Scope

from scoreboard.domain.plain_text import MAX_REASON
from scoreboard.web.routes.admin import Door
from scoreboard.web.routes.page import HEADERS, TEMPLATES
from scoreboard.web.schemas.admin import SuspectsQuery

FILES: Final = TEMPLATES.parent / "admin_files"


def admin_page_routes(door: Door) -> list[BaseRoute]:
    """`/admin`, and the files that it alone is made of. They are had without a token, and tell nothing of any board."""
    defaults = SuspectsQuery()
    page = Template((TEMPLATES / "admin.html").read_text(encoding="utf-8")).substitute(
        max_reason=MAX_REASON,
        days=f"{defaults.days:g}",
        an_hour=defaults.an_hour,
        irregularity=defaults.irregularity,
        behind_address=defaults.behind_address,
    )
    files = {path.name: path for path in FILES.iterdir()}

    async def show(_request: Request) -> Response:
        return HTMLResponse(page, headers=HEADERS)

    async def file(request: Request) -> Response:
        try:
            path = files[request.path_params["name"]]
        except KeyError as error:
            raise HTTPException(404) from error
        return FileResponse(path, headers={"Cache-Control": "no-cache"})

    return [_ByDoor(door, "/admin", show), _ByDoor(door, "/admin/{name}", file)]


class _ByDoor(Route):
    """A route that is not there for whoever comes by another port, whatever the method."""

    def __init__(self, door: Door, path: str, endpoint: Callable[[Request], Awaitable[Response]]) -> None:
        super().__init__(path, endpoint)
        self._door = door

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        return super().matches(scope) if self._door(scope) else (Match.NONE, {})
