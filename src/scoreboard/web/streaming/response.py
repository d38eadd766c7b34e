"""The response of a stream: on a connection detached from the server if possible, else over plain ASGI.

The status is always 200: a browser's EventSource does not reconnect after any other.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from starlette.types import Receive, Scope, Send

from scoreboard.domain.errors import RetryLater
from scoreboard.fanout.hub import Hub
from scoreboard.fanout.subscriber import StreamRequest
from scoreboard.web.limits.rate_headers import Header
from scoreboard.web.streaming.asgi_subscriber import AsgiSubscriber
from scoreboard.web.streaming.connection import CONNECTION, Connection
from scoreboard.web.streaming.socket_subscriber import SocketSubscriber

BUFFER_BYTES: Final = 4_096
"""Unsent bytes above which a client is behind: a few frames. asyncio's default is 64 KiB."""

MAX_REFUSAL_MS: Final = 30_000
"""Longest time to reconnect after a refusal: the network or the limits may change earlier."""

HEADERS: Final = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    # Proxies must not store, compress or buffer events (the second field is nginx's).
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
    (b"connection", b"close"),
]


async def stream(
    hub: Hub, request: StreamRequest, headers: Sequence[Header], scope: Scope, receive: Receive, send: Send
) -> None:
    """Start a stream. On a detached connection, return when it has started, else when it has ended."""
    connection: Connection | None = scope.get("extensions", {}).get(CONNECTION)
    is_chunked = connection is None or connection.begin_stream()
    await send({"type": "http.response.start", "status": 200, "headers": [*HEADERS, *headers]})
    await send({"type": "http.response.body", "body": hub.retry().plain, "more_body": True})
    transport = None if connection is None else connection.detach()
    if transport is not None:
        hub.join(SocketSubscriber(transport, hub, request, is_chunked=is_chunked), request.version)
        return
    transport = None if connection is None else connection.transport
    if transport is not None and not transport.is_closing():
        transport.set_write_buffer_limits(high=BUFFER_BYTES)
    subscriber = AsgiSubscriber(send if connection is None else connection.send, transport, request)
    disconnected = asyncio.create_task(_wait_for_disconnect(receive))
    hub.join(subscriber, request.version)
    try:
        await asyncio.wait((disconnected, subscriber.closed), return_when=asyncio.FIRST_COMPLETED)
        if subscriber.closed.done():
            last = subscriber.closed.result()
            await send(
                {"type": "http.response.body", "body": last.plain if last else b"", "more_body": False}
            )
    finally:
        hub.leave(subscriber)
        disconnected.cancel()


async def head(send: Send, headers: Sequence[Header]) -> None:
    """Answer HEAD."""
    await _answer(send, b"", headers)


async def refuse(hub: Hub, error: RetryLater, headers: Sequence[Header], send: Send) -> None:
    """Refuse a stream: end it at once with the time to reconnect, `MAX_REFUSAL_MS` at most."""
    after_ms = min(-(-error.retry_after_us // 1_000), MAX_REFUSAL_MS)
    await _answer(send, hub.refuse(after_ms).plain, headers)


async def _answer(send: Send, body: bytes, headers: Sequence[Header]) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [*HEADERS, *headers]})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
