"""The page, and the files it is made of."""

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
"""Content-Security-Policy: nothing from elsewhere, and nothing written into the page."""

NO_MARKUP: Final = "; require-trusted-types-for 'script'; trusted-types 'none'"
"""For pages with only our own scripts: no string may become markup or a script."""

HEADERS: Final = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": POLICY + NO_MARKUP,
    "Cross-Origin-Opener-Policy": "same-origin",
    # What frame-ancestors says, for browsers that do not know it.
    "X-Frame-Options": "DENY",
}


class Assets(StaticFiles):
    """Our files. Pages of any origin may use them; browsers ask each time whether they have changed."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update({"Cache-Control": "no-cache", "Cross-Origin-Resource-Policy": "cross-origin"})
        return response


UNTOLD_TITLE: Final = "Scoreboard"
"""Of a page whose boards are private: it has no token to show, so it tells nothing of them."""


def page_routes(
    catalog: Catalog, *, root_path: str = "", is_demo: bool, are_boards_private: bool = False
) -> list[BaseRoute]:
    """`/` and `/static/…`. Where boards are private, the page is the same whether there is such a board or not."""
    page = (TEMPLATES / "index.html").read_text(encoding="utf-8")
    panel = (TEMPLATES / "panel.html").read_text(encoding="utf-8") if is_demo else ""

    async def show(request: Request) -> Response:
        asked = request.query_params.get("board")
        if are_boards_private:
            return shown(UNTOLD_TITLE, asked, is_first=asked is None)
        try:
            board = catalog.board(asked)
        except UnknownBoard as error:
            raise HTTPException(404) from error
        return shown(board.title or board.id, board.id, is_first=board == catalog.board(None))

    def shown(title: str, board: str | None, *, is_first: bool) -> Response:
        text = Template(page).substitute(
            # Without a root path, addresses are relative: the page works below any path that ends with a slash.
            root=f"{root_path}/" if root_path else "",
            title=escape(title),
            board="" if board is None else f' board="{escape(board)}"',
            # Guests play on the first board: on another's page they would look for themselves in vain.
            panel=panel if is_first else "",
        )
        return HTMLResponse(text, headers=HEADERS)

    return [Route("/", show), Mount("/static", GZipMiddleware(Assets(directory=STATIC)), name="static")]
