"""The HTTP/1.1 protocol of one connection: uvicorn's, with limits at every stage of a request."""

import asyncio
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Final

import httptools
import uvicorn
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.utils import is_ssl
from uvicorn.server import ServerState

from scoreboard.server import limits
from scoreboard.server.refusal import RefusalLog, Refused, response
from scoreboard.server.stream_connection import StreamConnection
from scoreboard.server.target import origin_form
from scoreboard.web.detached import CONNECTION, MOST_DISCARDED_BYTES

GOODBYE_SECONDS: Final = 0.05
"""How long a client may take to end TLS properly when the server stops: uvicorn then waits twice as long by itself."""

VERSIONS: Final = ("1.1", "1.0")


class HeldFlow(FlowControl):
    """Flow control that does not read on while received bytes wait for their turn."""

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


class HttpProtocol(HttpToolsProtocol, asyncio.BufferedProtocol):
    """One connection.

    Received bytes are parsed in slices. Once a request is queued behind one that is being answered, parsing and reading
    stop until that answer has ended: a slice of requests and one read are all that waits.
    """

    flow: HeldFlow

    def __init__(
        self, config: uvicorn.Config, server_state: ServerState, read_buffer: memoryview, refusals: RefusalLog
    ) -> None:
        """`read_buffer` is shared by all connections of a loop: it is parsed or copied within one call."""
        super().__init__(config, server_state, {})
        self._read_buffer = read_buffer
        self._refusals = refusals
        self.asking_since: float | None = None
        """When the request began whose header is not complete yet (seconds of the loop)."""
        self.sending_since: float | None = None
        """When the body began that is not complete yet."""
        self.is_streaming = False
        """Whether the response is a stream: it has no end that another request could wait for."""
        self._answering: RequestResponseCycle | None = None
        """The request that is being answered: the first of those in `pipeline` follows it."""
        self._refused: HTTPStatus | None = None
        """How to refuse the last request, once those before it have been answered."""
        self._held = bytearray()
        self._is_header_complete = False
        self._is_lingering = False
        self._discarded = 0
        self._count = limits.ByteCount()
        self._progress = limits.Progress(self.loop.time())

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's own
        super().connection_made(transport)
        self.flow = HeldFlow(transport)
        self.asking_since = self.loop.time()

    # Reading

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002  # asyncio's signature
        return self._read_buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.data_received(bytes(self._read_buffer[:nbytes]))

    def data_received(self, data: bytes) -> None:
        if self.is_streaming or self._is_lingering:
            self._discard(len(data))
        elif self._held or self.flow.is_held or len(data) > limits.SLICE_BYTES:
            self._held += data
            self._parse_held()
        else:
            self._parse(data)

    def _discard(self, size: int) -> None:
        """Ignore received bytes; cut off a client that sends too many."""
        self._discarded += size
        if self._discarded > MOST_DISCARDED_BYTES:
            self.transport.abort()

    def _parse_held(self) -> None:
        while self._held and not self.flow.is_held and not self.transport.is_closing():
            data = bytes(self._held[: limits.SLICE_BYTES])
            del self._held[: limits.SLICE_BYTES]
            self._parse(data)

    def _parse(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        if self.asking_since is None and self.sending_since is None:
            # The next request, or empty lines in front of it, which would otherwise end the time of an idle connection.
            self.asking_since = self.loop.time()
        self._count.received(len(data))
        try:
            self._feed(data)
        except httptools.HttpParserError as error:
            self.refuse(self._refusals.status_of(error))
            return
        excess = self._count.excess
        if excess is not None:
            self.refuse(excess)
        elif self.pipeline:
            self.flow.hold()

    def _feed(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            # httptools takes the header for the whole request. A server may ignore `Upgrade` (RFC 9110, section 7.8).
            header = self._header_without_upgrade()
            # The old one ignores everything after a request that is the last of its connection, as this one may be.
            self.parser = httptools.HttpRequestParser(self)
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
            self._feed(header + data[upgrade.args[0] :])

    def _header_without_upgrade(self) -> bytes:
        method, version = self.parser.get_method(), self.parser.get_http_version().encode()
        fields = [b"%b: %b\r\n" % field for field in self.headers if field[0] != b"upgrade"]
        return b"%b %b HTTP/%b\r\n%b\r\n" % (method, self.url, version, b"".join(fields))

    # Calls of the parser

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._count.has_begun = True
        self._is_header_complete = False
        self.asking_since = self.loop.time()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._is_header_complete:
            # A trailer: nothing after the header may decide anything.
            return
        if len(self.headers) >= limits.MOST_HEADERS:
            raise Refused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if self._count.may_exceed_header and limits.header_size(self.url, self.headers) > limits.MOST_HEADER_BYTES:
            raise Refused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        if self.parser.get_http_version() not in VERSIONS:
            raise Refused(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED)
        if self.parser.get_method() == b"CONNECT":
            raise Refused(HTTPStatus.NOT_IMPLEMENTED)
        if self.parser.should_upgrade():
            # `_feed` has the header parsed once more.
            return
        try:
            self.url = origin_form(self.url)
        except ValueError:
            raise Refused(HTTPStatus.BAD_REQUEST) from None
        self._is_header_complete = True
        self._count.begin_body()
        self.asking_since, self.sending_since = None, self.loop.time()
        super().on_headers_complete()
        extensions: dict[str, Any] = {CONNECTION: StreamConnection(self, self.cycle)}
        self.scope["extensions"] = extensions

    def on_body(self, body: bytes) -> None:
        is_readable = self._count.is_body_readable
        self._count.body_received(len(body))
        if is_readable:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if self.parser.should_upgrade():
            return
        self.sending_since = None
        self._count.end_request()
        super().on_message_complete()
        if not self.parser.should_keep_alive():
            # Also where only a trailer says so: the parser ignores everything after this request.
            self.cycle.keep_alive = False
            if self.cycle.response_complete:
                self.transport.close()

    # Answering

    @property
    def is_busy(self) -> bool:
        """True while a request is being answered, or waits for that."""
        cycle = self._answering
        return bool(self.pipeline) or not (cycle is None or cycle.response_complete or cycle.disconnected)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing() or self.pipeline:
            return
        if self._refused is None:
            self.flow.release()
            self._parse_held()
        elif not self.is_busy:
            self._answer_refused(self._refused)

    def begin_stream(self, cycle: RequestResponseCycle) -> None:
        """Make `cycle` the last request of this connection; from now on, only the client's end matters."""
        self.is_streaming = True
        self.asking_since = self.sending_since = self._refused = None
        self.pipeline.clear()
        self._held.clear()
        # uvicorn tells the newest request alone that the client is gone.
        self.cycle = cycle
        self.flow.release()

    # Refusing

    def refuse(self, status: HTTPStatus) -> None:
        """Answer the newest request, which is not complete, once those before it are answered. Read no more of it."""
        has_body_begun = self.sending_since is not None
        self.asking_since = self.sending_since = None
        if self._is_lingering or self.transport.is_closing():
            return
        self._held.clear()
        self.flow.hold()
        if not has_body_begun:
            pass
        elif self.pipeline:
            self.pipeline.popleft()
        elif self.cycle.response_started:
            # Another answer would be taken for that to a next request.
            self.transport.abort()
            return
        else:
            _disconnect(self.cycle)
        if self.is_busy:
            self._refused = status
        else:
            self._answer_refused(status)

    def _answer_refused(self, status: HTTPStatus) -> None:
        self._refusals.refused(status)
        self.transport.write(response(status))
        if is_ssl(self.transport):
            self.transport.close()
            return
        # A client that is still sending would have its connection reset, and might not see the answer.
        self._is_lingering = True
        with suppress(OSError):
            # asyncio raises it where the client has reset the connection.
            self.transport.write_eof()
        self.flow.release()
        self.loop.call_later(limits.LINGER_SECONDS, self.transport.abort)

    def refuse_if_slow(self, now: float) -> None:
        """End the connection if a request takes too long to arrive, or if nothing of an answer is taken."""
        # Streams are ended by the hub.
        if not self.is_streaming and self._progress.is_stalled(self.transport.get_write_buffer_size(), now):
            self.transport.abort()
        elif self.pipeline and self.sending_since is not None:
            # Nothing is read while others are answered before it: its time begins after them.
            self.sending_since = now
        elif self.sending_since is not None and self.sending_since <= now - limits.BODY_SECONDS:
            self.refuse(HTTPStatus.REQUEST_TIMEOUT)
        elif self.asking_since is None or self.asking_since > now - limits.ASKING_SECONDS or self.is_busy:
            return
        elif self._count.has_begun:
            self.refuse(HTTPStatus.REQUEST_TIMEOUT)
        else:
            # Browsers connect in advance. An answer to nothing would only confuse them.
            self.transport.close()

    # The end

    def shutdown(self) -> None:
        super().shutdown()
        if is_ssl(self.transport) and not self.is_busy:
            # A client that is idle may never answer TLS's goodbye, for which the loop would wait for half a minute.
            self.loop.call_later(GOODBYE_SECONDS, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answering is not None:
            # uvicorn tells the newest request alone.
            _disconnect(self._answering)
        super().connection_lost(exc)
        # They know each other; without the collector, whose turn comes seldom, none of them would go.
        self.scope = self.cycle = self._answering = None  # type: ignore[assignment]
        self.pipeline.clear()
        self._held.clear()


def _disconnect(cycle: RequestResponseCycle) -> None:
    """Have a request know that its client is gone."""
    if not cycle.response_complete:
        cycle.disconnected = True
    cycle.message_event.set()
