"""The root path, such as `/scores`, for proxies that remove it from a request's path or keep it."""

from starlette.responses import RedirectResponse
from starlette.types import Scope


def redirect_to_slash(scope: Scope, root_path: str) -> RedirectResponse | None:
    """Return the response to a request for the root path itself: relative URLs need its final slash."""
    if scope["path"] != root_path:
        return None
    query = scope["query_string"].decode("latin-1")
    return RedirectResponse(f"{root_path}/?{query}" if query else f"{root_path}/")


def strip_root_path(scope: Scope, root_path: str) -> None:
    """Remove the root path from the path, if it is there."""
    if scope["path"].startswith(f"{root_path}/"):
        scope["path"] = scope["path"].removeprefix(root_path)
