"""When a request is over: its response has ended, or, of a stream, begun."""

from collections.abc import Callable
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

OTHER: Final = "other"
"""All paths that lead nowhere, and all odd methods: each by itself would be a name that anybody can make up."""

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


async def answer_and_tell(
    app: ASGIApp, scope: Scope, receive: Receive, send: Send, tell: Callable[[int], None]
) -> None:
    """Have a request answered, and tell its status once it is over; 500 where there was no answer."""
    status = 500
    is_told = False

    async def noting(message: Message) -> None:
        nonlocal status, is_told
        if message["type"] == "http.response.start":
            status = message["status"]
        elif message.get("more_body") and not is_told:
            is_told = True
            tell(status)
        await send(message)

    try:
        await app(scope, receive, noting)
    finally:
        if not is_told:
            tell(status)


def route_and_method(scope: Scope) -> tuple[str, str]:
    """Which route has answered; only once it has."""
    method = scope["method"] if scope["method"] in METHODS else OTHER
    return getattr(scope.get("route"), "path", OTHER), method
