"""Middleware for a root path such as `/scores`, for proxies that strip it and for those that do not."""

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send


class RootPath:
    """ASGI middleware that removes the root path from a request's path, if it is there."""

    def __init__(self, app: ASGIApp, root_path: str) -> None:
        self._app = app
        self._root_path = root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path = scope["path"]
            if path == self._root_path:
                # The page's relative addresses need the slash.
                query = scope["query_string"].decode("latin-1")
                response = RedirectResponse(f"{path}/?{query}" if query else f"{path}/")
                await response(scope, receive, send)
                return
            if path.startswith(f"{self._root_path}/"):
                # Changed in place: outer middleware reads values that the router adds to this scope.
                scope["path"] = path.removeprefix(self._root_path)
        await self._app(scope, receive, send)
