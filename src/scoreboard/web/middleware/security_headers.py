"""What every answer tells a browser: to guess no types, to frame nothing, to tell nobody where a visitor came from."""

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

STRICT_TRANSPORT_SECURITY: Final = (b"strict-transport-security", b"max-age=31536000")
"""A year. Only where TLS ends here: else it is the proxy's to say (RFC 6797, section 7.2)."""

DEFAULTS: Final = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    # An answer that is no page may not become one, nor stand in a frame. Pages have a policy of their own.
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    # Boards are read from other origins by CORS, to which this does not apply. The modules say otherwise.
    b"cross-origin-resource-policy": b"same-origin",
}


class SecurityHeaders:
    """Around everything, so that it holds for answers to the unforeseen, too. What a route says by itself, stays.

    A stream's events do not come this way: `web.stream` writes them past all middleware.
    """

    def __init__(self, app: ASGIApp, *, is_tls: bool) -> None:
        self._app = app
        self._defaults = [*DEFAULTS.items(), *([STRICT_TRANSPORT_SECURITY] if is_tls else [])]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def securing(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message.get("headers", [])
                said = {name.lower() for name, _ in headers}
                message["headers"] = [
                    *headers,
                    *(header for header in self._defaults if header[0] not in said),
                ]
            await send(message)

        await self._app(scope, receive, securing)
