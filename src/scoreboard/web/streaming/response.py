"""The response that is a stream: on a connection that leaves the server where that can be, else over plain ASGI.

The status is always 200, since a browser's EventSource gives up for good on any other.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from starlette.types import Receive, Scope, Send

from scoreboard.domain.errors import RetryLater
from scoreboard.fanout.hub import Hub
from scoreboard.fanout.subscriber import Subscriber
from scoreboard.web.limits.rate_headers import Header
from scoreboard.web.streaming.asgi_subscriber import AsgiSubscriber
from scoreboard.web.streaming.detached import CONNECTION, Connection, DetachedSubscriber

BUFFER_BYTES: Final = 4_096
"""What may be buffered for a client before it counts as behind: a few frames, where asyncio's default is 64 KiB."""

LONGEST_REFUSAL_MS: Final = 30_000
"""What a browser is told to wait at the most: people change their network, and operators a limit."""

HEADERS: Final = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    # Nobody on the way may keep, compress or hold back events (the last one is nginx's).
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
    (b"connection", b"close"),
]


@dataclass(frozen=True, slots=True)
class Wish:
    """What a client has asked for: a board, changes as patches or not, and the version that it says it has.

    `origin` is where it comes from, if that has a limit; `until_us` when it may watch no more, if it may not for ever.
    `headers` are to go with the answer.
    """

    board: str
    takes_patches: bool = False
    version: int | None = None
    origin: str | None = None
    until_us: int | None = None
    headers: Sequence[Header] = ()


async def stream(
    hub: Hub, wish: Wish, left: Callable[[Subscriber], None], scope: Scope, receive: Receive, send: Send
) -> None:
    """Begin to answer with the events of a board; return once that is over, or goes on by itself.

    `left` is called when the client is gone or the hub has ended the stream: soon, or much later.
    """
    connection: Connection | None = scope.get("extensions", {}).get(CONNECTION)
    is_chunked = connection is None or connection.begin_stream()
    await send({"type": "http.response.start", "status": 200, "headers": [*HEADERS, *wish.headers]})
    await send({"type": "http.response.body", "body": hub.retry().plain, "more_body": True})
    transport = None if connection is None else connection.detach()
    if transport is not None:
        detached = DetachedSubscriber(
            transport,
            left,
            is_chunked=is_chunked,
            takes_patches=wish.takes_patches,
            origin=wish.origin,
            until_us=wish.until_us,
        )
        hub.join(wish.board, detached, wish.version)
        return
    transport = None if connection is None else connection.transport
    if transport is not None and not transport.is_closing():
        transport.set_write_buffer_limits(high=BUFFER_BYTES)
    direct = send if connection is None else connection.send
    subscriber = AsgiSubscriber(
        direct, transport, takes_patches=wish.takes_patches, origin=wish.origin, until_us=wish.until_us
    )
    leaving = asyncio.create_task(_left(receive))
    hub.join(wish.board, subscriber, wish.version)
    try:
        await asyncio.wait((leaving, subscriber.closed), return_when=asyncio.FIRST_COMPLETED)
        if subscriber.closed.done():
            last = subscriber.closed.result()
            await send(
                {"type": "http.response.body", "body": last.plain if last else b"", "more_body": False}
            )
    finally:
        left(subscriber)
        leaving.cancel()


async def head(send: Send, headers: Sequence[Header]) -> None:
    """What a stream would begin with."""
    await _whole(send, b"", headers)


async def refuse(hub: Hub, error: RetryLater, headers: Sequence[Header], send: Send) -> None:
    """A stream that is over at once, and says when to come back: not an hour later, even if it is refused again."""
    after_ms = min(-(-error.retry_after_us // 1_000), LONGEST_REFUSAL_MS)
    await _whole(send, hub.refuse(after_ms).plain, headers)


async def _whole(send: Send, body: bytes, headers: Sequence[Header]) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [*HEADERS, *headers]})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
