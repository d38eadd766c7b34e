"""Everything that this project takes from inside uvicorn. No other module imports uvicorn.

It relies on these internals, which `tests/unit/test_uvicorn.py` checks one by one:

- `Server`: `serve` calls `startup`, which sets `servers` and `started`, and then `on_tick` ten times a
  second. `handle_exit` gets the signals. `server_state.connections` are the protocols of open connections.
- `HttpToolsProtocol`: the parser's callbacks collect `url` and `headers` and create `scope`. `cycle` is the
  newest request, `pipeline` the queue of later ones, newest first. `on_response_complete` starts the next one
  with `_start_asgi_task`. Without a queue, it starts the timer that `_unset_keepalive_if_required` cancels.
  `connection_lost` leaves the transport open if it gets an exception.
- `RequestResponseCycle`: its parameters; `disconnected` stops all output, and `message_event` wakes
  `receive`; `response_started`, `response_complete` and `keep_alive`; `chunked_encoding` and
  `expected_content_length`, set before the response, keep its body as it is.
- `FlowControl`: all reading is paused and resumed with `pause_reading` and `resume_reading`.
"""

import asyncio
import socket
import sys
from types import FrameType
from typing import Any, Final, cast
from weakref import ref

import uvicorn.server
from starlette.types import Send
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.utils import is_ssl

from scoreboard.web.streaming.connection import CONNECTION

Config = uvicorn.Config

TICKS_PER_SECOND: Final = 10


class ServerState(uvicorn.server.ServerState):
    """The state that all connections of a server share."""

    is_draining = False
    """True while each answer closes its connection. Idle connections stay open."""


class UvicornServer(uvicorn.Server):
    """uvicorn's server. Subclasses create its listeners, and can do something every second."""

    server_state: ServerState

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.server_state = ServerState()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self.servers = [await self.listen(bound) for bound in sockets or ()]
        self.started = True

    async def listen(self, bound: socket.socket) -> asyncio.Server:
        """Accept connections on a bound socket."""
        raise NotImplementedError

    async def on_tick(self, counter: int) -> bool:
        if counter % TICKS_PER_SECOND == 0:
            self.check_connections()
        return await super().on_tick(counter)

    def check_connections(self) -> None:
        """Check the open connections. Called once a second."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002  # uvicorn's signature
        self.handle_signal(sig)

    def handle_signal(self, signal: int) -> None:
        """Handle SIGTERM or SIGINT. Called in a signal handler."""
        super().handle_exit(signal, None)


class HeldFlow(FlowControl):
    """Flow control that does not resume reading while received bytes wait to be parsed."""

    is_held = False

    def hold(self) -> None:
        self.is_held = True
        self.pause_reading()

    def release(self) -> None:
        self.is_held = False
        self.resume_reading()

    def resume_reading(self) -> None:
        if not self.is_held:
            super().resume_reading()


class UvicornProtocol(HttpToolsProtocol):
    """uvicorn's protocol of one connection, with its queue of requests. Subclasses feed the parser."""

    flow: HeldFlow
    server_state: ServerState

    def __init__(self, config: Config, server_state: ServerState) -> None:
        super().__init__(config, server_state, {})
        self.is_tls = False
        self.headers: list[tuple[bytes, bytes]] = []
        self._answering: RequestResponseCycle | None = None
        """The request that is being answered. The last one in `pipeline` is next."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's own
        super().connection_made(transport)
        self.flow = HeldFlow(transport)
        self.is_tls = is_ssl(transport)

    def cancel_keep_alive_timer(self) -> None:
        self._unset_keepalive_if_required()

    # Requests

    def start_or_queue(self, *, keep_alive: bool) -> None:
        """Give the request of `scope` to the application, after the answers to those before it."""
        cycle = self.cycle = RequestResponseCycle(
            scope=self.scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=keep_alive,
            on_response=self.on_response_complete,
        )
        extensions: dict[str, Any] = {CONNECTION: StreamConnection(self, cycle)}
        self.scope["extensions"] = extensions
        if self.is_busy:
            self.flow.hold()
            self.pipeline.appendleft((cycle, self.app))
        else:
            self._start_asgi_task(cycle, self.app)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    @property
    def is_busy(self) -> bool:
        """True while a request is being answered or is queued."""
        cycle = self._answering
        return self.has_queue or not (cycle is None or cycle.response_complete or cycle.disconnected)

    @property
    def has_queue(self) -> bool:
        """True while a request waits for the answer to an earlier one."""
        return bool(self.pipeline)

    def drop_newest(self) -> bool:
        """Drop the newest request. Return False if its response has started."""
        if self.pipeline:
            self.pipeline.popleft()
        elif self.cycle.response_started:
            return False
        else:
            _disconnect(self.cycle)
        return True

    def close_after_newest(self) -> None:
        """Close the connection after the answer to the newest request."""
        self.cycle.keep_alive = False
        if self.cycle.response_complete:
            self.transport.close()

    def begin_stream(self, cycle: RequestResponseCycle) -> None:
        """Make `cycle` the last request of this connection."""
        self.pipeline.clear()
        # uvicorn notifies only the newest request of a disconnect.
        self.cycle = cycle
        self.flow.release()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answering is not None:
            # uvicorn notifies only the newest request.
            _disconnect(self._answering)
        super().connection_lost(exc)
        # Break the reference cycle: the garbage collector runs rarely.
        self.scope = self.cycle = self._answering = None  # type: ignore[assignment]
        self.pipeline.clear()


def _disconnect(cycle: RequestResponseCycle) -> None:
    """Tell a request's application that the client has disconnected."""
    if not cycle.response_complete:
        cycle.disconnected = True
    cycle.message_event.set()


class Detachment(Exception):
    """Passed to uvicorn as the reason of a lost connection: uvicorn then does not close the transport."""


class StreamConnection:
    """The `web.streaming.connection.Connection` of one request."""

    __slots__ = ("_cycle_reference", "_protocol")

    def __init__(self, protocol: UvicornProtocol, cycle: RequestResponseCycle) -> None:
        self._protocol = protocol
        # Weak: the request's scope has this object, so the garbage collector would have to free each request.
        self._cycle_reference = ref(cycle)

    @property
    def _cycle(self) -> RequestResponseCycle:
        """The request. The task of its application keeps it."""
        cycle = self._cycle_reference()
        assert cycle is not None
        return cycle

    @property
    def transport(self) -> asyncio.Transport:
        return self._protocol.transport

    @property
    def send(self) -> Send:
        return cast(Send, self._cycle.send)

    def begin_stream(self) -> bool:
        self._protocol.begin_stream(self._cycle)
        if self._cycle.scope["http_version"] != "1.0" or self._protocol.is_tls:
            return True
        # uvicorn would send chunks, which HTTP/1.0 does not support, or enforce a content length.
        self._cycle.chunked_encoding = False
        self._cycle.expected_content_length = sys.maxsize
        return False

    def detach(self) -> asyncio.Transport | None:
        transport = self.transport
        if transport.is_closing() or self._protocol.is_tls:
            return None
        self._protocol.connection_lost(Detachment())
        return transport
