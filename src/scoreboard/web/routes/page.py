"""The web page, and its static files."""

from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Final
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from scoreboard.domain.boards import ALL_TIME, Board
from scoreboard.domain.errors import UnknownBoard
from scoreboard.settings.catalog import Catalog

_HERE: Final = Path(str(files("scoreboard.web")))
STATIC: Final = _HERE / "static"
TEMPLATES: Final = _HERE / "templates"

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The Content-Security-Policy of pages: no files of other origins, and no inline scripts or styles."""

NO_MARKUP: Final = "; require-trusted-types-for 'script'; trusted-types 'none'"
"""For pages with only our own scripts: a string must not become markup or a script."""

HEADERS: Final = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": POLICY + NO_MARKUP,
    "Cross-Origin-Opener-Policy": "same-origin",
    # For browsers that do not support frame-ancestors.
    "X-Frame-Options": "DENY",
}


class Assets(StaticFiles):
    """The static files. Pages of any origin may use them. Browsers revalidate them each time."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update({"Cache-Control": "no-cache", "Cross-Origin-Resource-Policy": "cross-origin"})
        return response


_PANEL: Final = ' id="board" role="tabpanel" tabindex="0"'
_CURRENT: Final = ' aria-current="page"'
_TABS: Final = {"all": "All time", "day": "Today", "week": "This week", "month": "This month"}

PRIVATE_TITLE: Final = "Scoreboard"
"""The title if boards are private: the request for the page has no token, so it shows nothing."""


def page_routes(
    catalog: Catalog, *, root_path: str = "", is_demo: bool, are_boards_private: bool = False
) -> list[BaseRoute]:
    """Return the routes `/` and `/static/…`. The page does not show whether a private board exists."""
    page = (TEMPLATES / "index.html").read_text(encoding="utf-8")
    panel = (TEMPLATES / "panel.html").read_text(encoding="utf-8") if is_demo else ""
    boards_of_guests = {action.board for action in catalog.actions.values() if action.needs_no_server}

    async def show(request: Request) -> Response:
        board_id = request.query_params.get("board")
        if are_boards_private:
            return page_of(PRIVATE_TITLE, board_id, panel=panel if board_id is None else "")
        try:
            board = catalog.board(board_id)
        except UnknownBoard as error:
            raise HTTPException(404) from error
        return page_of(
            board.title or board.id,
            board.id,
            boards=_boards(catalog, board),
            periods=_periods(board),
            panel=panel if board.id in boards_of_guests else "",
        )

    def page_of(
        title: str, board: str | None, *, panel: str, boards: str = "", periods: str = ""
    ) -> Response:
        text = Template(page).substitute(
            # Relative URLs without a root path, so that the page works below any path that ends with a slash.
            root=f"{root_path}/" if root_path else "",
            title=escape(title),
            boards=boards,
            periods=periods,
            board=(f' board="{escape(board)}"' if board is not None else "") + (_PANEL if periods else ""),
            panel=panel,
        )
        return HTMLResponse(text, headers=HEADERS)

    return [Route("/", show), Mount("/static", GZipMiddleware(Assets(directory=STATIC)), name="static")]


def _boards(catalog: Catalog, shown: Board) -> str:
    """Return links to all boards, or nothing if there is only one."""
    if len(catalog.boards) == 1:
        return ""
    links = "".join(
        f'<a href="?board={quote(board.id, safe="")}"{_CURRENT if board is shown else ""}>'
        f"{escape(board.title or board.id)}</a>"
        for board in catalog.boards.values()
    )
    return f'<nav id="boards" aria-label="Boards">{links}</nav>'


def _periods(board: Board) -> str:
    """Return tabs for the periods of a board, or nothing if it has none."""
    if not board.definition.periods:
        return ""
    tabs = (
        f'<button type="button" role="tab" id="tab-{kind}" data-period="{kind}" aria-controls="board" '
        f'aria-selected="{str(kind == ALL_TIME).lower()}" tabindex="{0 if kind == ALL_TIME else -1}">'
        f"{title}</button>"
        for kind, title in _TABS.items()
        if kind in (ALL_TIME, *board.definition.periods)
    )
    template = (TEMPLATES / "periods.html").read_text(encoding="utf-8")
    return Template(template).substitute(tabs="".join(tabs))
