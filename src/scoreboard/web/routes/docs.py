"""`/docs`: the API to read and to try out, from files of this host alone.

FastAPI's own page takes Swagger UI from a CDN and starts it by an inline script, which no strict policy lets through.
Of the package `fastapi-swagger` nothing is used but its copy of Swagger UI's files.
"""

from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Final

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from scoreboard.web.routes.page import HEADERS, POLICY, TEMPLATES

_SWAGGER_UI: Final = Path(str(files("fastapi_swagger"))) / "resources"

_ASSETS: Final = f"docs/assets/{version('fastapi-swagger')}"
"""Another address for every version, so that a browser may keep the files for good."""

# Swagger UI's style sheet holds its icons as data: images.
_HEADERS: Final = HEADERS | {
    "Content-Security-Policy": POLICY.replace("img-src 'self'", "img-src 'self' data:")
}

_ASSET_HEADERS: Final = {"Cache-Control": "public, max-age=31536000, immutable"}


def docs_routes() -> list[BaseRoute]:
    """`/docs`, and Swagger UI's script and style sheet."""
    page = Template((TEMPLATES / "docs.html").read_text(encoding="utf-8")).substitute(assets=_ASSETS)

    async def docs(_request: Request) -> Response:
        return HTMLResponse(page, headers=_HEADERS)

    return [Route("/docs", docs), _asset("swagger-ui-bundle.js"), _asset("swagger-ui.css")]


def _asset(name: str) -> Route:
    async def asset(_request: Request) -> Response:
        return FileResponse(_SWAGGER_UI / name, headers=_ASSET_HEADERS)

    return Route(f"/{_ASSETS}/{name}", asset)
