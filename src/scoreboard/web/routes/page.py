"""The web page, and its static files."""

from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Final

from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

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


PRIVATE_TITLE: Final = "Scoreboard"
"""The title if boards are private: the request for the page has no token, so it shows nothing."""


def page_routes(
    catalog: Catalog, *, root_path: str = "", is_demo: bool, are_boards_private: bool = False
) -> list[BaseRoute]:
    """Return the routes `/` and `/static/…`. The page does not show whether a private board exists."""
    page = (TEMPLATES / "index.html").read_text(encoding="utf-8")
    panel = (TEMPLATES / "panel.html").read_text(encoding="utf-8") if is_demo else ""

    async def show(request: Request) -> Response:
        board_id = request.query_params.get("board")
        if are_boards_private:
            return page_of(PRIVATE_TITLE, board_id, is_first=board_id is None)
        try:
            board = catalog.board(board_id)
        except UnknownBoard as error:
            raise HTTPException(404) from error
        return page_of(board.title or board.id, board.id, is_first=board == catalog.board(None))

    def page_of(title: str, board: str | None, *, is_first: bool) -> Response:
        text = Template(page).substitute(
            # Relative URLs without a root path, so that the page works below any path that ends with a slash.
            root=f"{root_path}/" if root_path else "",
            title=escape(title),
            board="" if board is None else f' board="{escape(board)}"',
            # Guests submit to the first board only.
            panel=panel if is_first else "",
        )
        return HTMLResponse(text, headers=HEADERS)

    return [Route("/", show), Mount("/static", GZipMiddleware(Assets(directory=STATIC)), name="static")]
