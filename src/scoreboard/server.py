"""Serving an application over HTTP: sockets, signals, drain. The only file that names uvicorn."""

import asyncio
import gc
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from pathlib import Path
from types import FrameType
from typing import Any, Final, cast

import structlog
import uvicorn
import uvloop
from starlette.types import ASGIApp, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.utils import is_ssl

from scoreboard.errors import StartError
from scoreboard.listening import BACKLOG
from scoreboard.web.detached import CONNECTION

FINISH_SECONDS: Final = 10
"""How long requests in flight have at the end."""

MOST_HEADER_BYTES: Final = 32_768
"""A token of 8 KiB fits in, and cookies of other things on the same host. httptools itself knows no limit."""

ASKING_SECONDS: Final = 10.0
"""How long a request's header may take to come, and a new connection to ask for something."""

BODY_SECONDS: Final = 10.0
"""How long its body may take after that: 16 KiB come in this time at 13 kbit/s. Who drips it holds a request open."""

TAKING_SECONDS: Final = 30.0
"""How long a client may take nothing of an answer that waits for it: as long as one of a stream (`fanout.ring`)."""

KEEP_ALIVE_SECONDS: Final = 75
"""How long a connection may be idle between two requests: longer than the 60 s of nginx and of AWS's ALB, so that they
end it. Where this end does, a POST may be on its way already: it is answered 502, as no balancer sends a POST twice."""

GOODBYE_SECONDS: Final = 0.05
"""How long a client may take to end TLS properly when the server stops: uvicorn then waits twice as long by itself."""

TICKS_A_SECOND: Final = 10
"""How often uvicorn looks around."""

log = structlog.get_logger()

GC_THRESHOLDS: Final = (20_000, 50, 100)
"""Python's own make it look through all objects several times a second under load, and stop everything for some 60 ms
each time. Hardly anything here makes reference cycles."""

Drain = Callable[[bool], Awaitable[None]]


def run(main: Callable[[], Awaitable[None]]) -> None:
    """Run a coroutine function on the fast event loop."""
    uvloop.run(_awaited(main))


async def _awaited(main: Callable[[], Awaitable[None]]) -> None:
    await main()


def make_server(
    application: ASGIApp, drain: Drain, started: Callable[[], None], tls: tuple[Path, Path] | None = None
) -> "HttpServer":
    """A server whose `serve` runs until SIGTERM or SIGINT (Ctrl-C), then drains, lets requests finish, and returns.

    `started` is called once connections are taken. `drain` gets whether there is time to be polite (SIGTERM) or
    somebody waits at the terminal (SIGINT). A second signal ends it without waiting. `tls` is certificate chain and
    private key, as PEM files. Raises StartError where they are of no use.
    """
    certificate, key = tls or (None, None)
    config = uvicorn.Config(
        application,
        http=_Protocol,
        ws="none",
        lifespan="off",
        loop="none",
        backlog=BACKLOG,
        log_config=None,
        access_log=False,
        # It would believe anybody's X-Forwarded-For that the environment tells it to.
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=FINISH_SECONDS,
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )
    try:
        config.load()
    except OSError as error:
        raise StartError(
            f"The TLS certificate or its key cannot be used ({error}): check SCOREBOARD_TLS_CERTIFICATE and "
            "SCOREBOARD_TLS_KEY."
        ) from error
    return HttpServer(config, drain, started)


class _Protocol(HttpToolsProtocol):
    """uvicorn's, which lets a stream leave with its connection, and nobody take for ever to ask for something."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asking_since: float | None = None
        """When the request began whose header is not complete yet (seconds of the loop)."""
        self.sending_since: float | None = None
        """When the body began that is not complete yet."""
        self.is_streaming = False
        """Whether the response is a stream: it has no end that another request could wait for."""
        self._waiting_bytes = 0
        self._taken_at = self.loop.time()
        """When it was last seen that less waited to be taken than before, or nothing."""
        self._received_bytes = 0
        self._header_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's own
        super().connection_made(transport)
        self.asking_since = self.loop.time()

    def data_received(self, data: bytes) -> None:
        if self.is_streaming:
            return
        self._received_bytes = len(data)
        self._header_bytes += len(data)
        super().data_received(data)
        if self.asking_since is not None and self._header_bytes > MOST_HEADER_BYTES:
            self.refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.asking_since, self._header_bytes = self.loop.time(), self._received_bytes

    def on_headers_complete(self) -> None:
        if self._header_bytes > MOST_HEADER_BYTES and _size(self.headers) > MOST_HEADER_BYTES:
            raise _HeaderTooLarge
        self.asking_since, self.sending_since = None, self.loop.time()
        super().on_headers_complete()
        extensions: dict[str, Any] = {CONNECTION: _Connection(self, self.cycle)}
        self.scope["extensions"] = extensions

    def on_message_complete(self) -> None:
        self.sending_since = None
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  # uvicorn's signature
        """What uvicorn answers whenever its parser fails."""
        is_large = self._header_bytes > MOST_HEADER_BYTES
        self.refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE if is_large else HTTPStatus.BAD_REQUEST)

    def shutdown(self) -> None:
        super().shutdown()
        if is_ssl(self.transport) and not self.is_busy:
            # A client that is idle may never answer TLS's goodbye, for which the loop would wait for half a minute.
            self.loop.call_later(GOODBYE_SECONDS, self.transport.abort)

    @property
    def is_busy(self) -> bool:
        """Whether a response is under way."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def refuse_if_slow(self, now: float) -> None:
        """End it where a request takes too long to come, or nothing of an answer is taken."""
        if self._takes_nothing(now):
            self.transport.abort()
        elif self.pipeline and self.sending_since is not None:
            # Nothing is read while others are answered before it: its time begins after them.
            self.sending_since = now
        elif self.sending_since is not None and self.sending_since <= now - BODY_SECONDS:
            self.refuse(HTTPStatus.REQUEST_TIMEOUT)
        elif self.asking_since is None or self.asking_since > now - ASKING_SECONDS or self.is_busy:
            return
        elif self._header_bytes:
            self.refuse(HTTPStatus.REQUEST_TIMEOUT)
        else:
            # Browsers connect in advance. An answer to nothing would only confuse them.
            self.transport.close()

    def _takes_nothing(self, now: float) -> bool:
        """Of answers, also where the connection closes as soon as they are taken. (A stream's end is the hub's.)"""
        waiting = 0 if self.is_streaming else self.transport.get_write_buffer_size()
        if not waiting or waiting < self._waiting_bytes:
            self._taken_at = now
        self._waiting_bytes = waiting
        return waiting > 0 and self._taken_at <= now - TAKING_SECONDS

    def refuse(self, status: HTTPStatus) -> None:
        """Answer a request that is not complete, and hear no more of it."""
        has_begun = self.sending_since is not None
        is_answered = self.cycle.response_started if has_begun else self.is_busy
        self.asking_since = self.sending_since = None
        if self.transport.is_closing():
            return
        if is_answered:
            # The answer to it has begun, or that to the request before has not ended: this would be taken for that.
            self.transport.abort()
            return
        body = status.phrase.encode()
        self.transport.write(
            b"HTTP/1.1 %d %b\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\n"
            b"x-content-type-options: nosniff\r\nconnection: close\r\n\r\n%b" % (status, body, len(body), body)
        )
        self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        # They know each other; without the collector, whose turn comes seldom, none of them would go.
        self.scope = self.cycle = None  # type: ignore[assignment]
        self.pipeline.clear()


class _HeaderTooLarge(Exception):
    """Raised in the parser, to end its work."""


def _size(headers: list[tuple[bytes, bytes]]) -> int:
    return sum(len(name) + len(value) for name, value in headers)


class _Detached(Exception):
    """Given to uvicorn as the reason why a connection was lost: it then leaves the transport alone."""


class _Connection:
    """`web.detached.Connection` of one request."""

    __slots__ = ("_cycle", "_protocol")

    def __init__(self, protocol: _Protocol, cycle: RequestResponseCycle) -> None:
        self._protocol = protocol
        self._cycle = cycle

    @property
    def transport(self) -> asyncio.Transport:
        return self._protocol.transport

    @property
    def send(self) -> Send:
        return cast(Send, self._cycle.send)

    @property
    def _can_detach(self) -> bool:
        return not is_ssl(self.transport)

    def begin_stream(self) -> bool:
        # Another request that came with this one has stopped the reading. Now only the client's end is of interest.
        self._protocol.is_streaming = True
        self._protocol.sending_since = None
        self._protocol.pipeline.clear()
        self._protocol.flow.resume_reading()
        if self._cycle.scope["http_version"] != "1.0" or not self._can_detach:
            return True
        # uvicorn would send chunks, which HTTP/1.0 does not know, or hold the body to a length.
        self._cycle.chunked_encoding = False
        self._cycle.expected_content_length = sys.maxsize
        return False

    def detach(self) -> asyncio.Transport | None:
        transport = self.transport
        if transport.is_closing() or not self._can_detach:
            return None
        self._protocol.connection_lost(_Detached())
        self._cycle.disconnected = True
        return transport


class HttpServer(uvicorn.Server):
    """uvicorn's, which drains before it stops, and whose clean stop is exit 0 and no death by the signal."""

    def __init__(self, config: uvicorn.Config, drain: Drain, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._drain = drain
        self._announce = started
        self._draining: asyncio.Task[None] | None = None

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().serve(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        _calm_the_collector()
        self._announce()

    async def on_tick(self, counter: int) -> bool:
        if counter % TICKS_A_SECOND == 0:
            self._refuse_the_slow()
        return await super().on_tick(counter)

    def _refuse_the_slow(self) -> None:
        now = self._loop.time()
        for connection in list(self.server_state.connections):
            assert isinstance(connection, _Protocol)
            connection.refuse_if_slow(now)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002  # uvicorn's signature
        self._loop.call_soon_threadsafe(self.stop, sig == signal.SIGTERM)

    def stop(self, polite: bool) -> None:
        """What a signal does; to be called on the event loop."""
        if self._draining is None:
            # First: whoever reads the log may be gone, and then telling fails.
            self._draining = self._loop.create_task(self._drain_and_exit(polite))
            log.info("stopping", polite=polite)
        else:
            self.should_exit = True
            self.force_exit = True

    async def _drain_and_exit(self, polite: bool) -> None:
        try:
            await self._drain(polite)
        finally:
            self.should_exit = True


def _calm_the_collector() -> None:
    """What has been made by now stays, so it need not be looked through again."""
    gc.set_threshold(*GC_THRESHOLDS)
    gc.collect()
    gc.freeze()
