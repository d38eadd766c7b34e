"""`/docs`: Swagger UI, with files of this host only.

FastAPI's own page loads Swagger UI from a CDN and starts it by an inline script, which a strict
Content-Security-Policy forbids. Only the files of the package `fastapi-swagger` are used.
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
"""The path contains the version, so that browsers may cache the files without revalidation."""

# Swagger UI's style sheet contains icons as data: URLs.
_HEADERS: Final = HEADERS | {
    "Content-Security-Policy": POLICY.replace("img-src 'self'", "img-src 'self' data:")
}

_ASSET_HEADERS: Final = {"Cache-Control": "public, max-age=31536000, immutable"}


def docs_routes() -> list[BaseRoute]:
    """Return the routes of `/docs` and of Swagger UI's script and style sheet."""
    page = Template((TEMPLATES / "docs.html").read_text(encoding="utf-8")).substitute(assets=_ASSETS)

    async def docs(_request: Request) -> Response:
        return HTMLResponse(page, headers=_HEADERS)

    return [Route("/docs", docs), _asset("swagger-ui-bundle.js"), _asset("swagger-ui.css")]


def _asset(name: str) -> Route:
    async def asset(_request: Request) -> Response:
        return FileResponse(_SWAGGER_UI / name, headers=_ASSET_HEADERS)

    return Route(f"/{_ASSETS}/{name}", asset)
