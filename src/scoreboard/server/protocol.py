"""The HTTP/1.1 protocol of one connection: uvicorn's, with limits at every stage of a request."""

import asyncio
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import unquote

import httptools
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.utils import is_ssl
from uvicorn.server import ServerState

from scoreboard.server import limits, request_head
from scoreboard.server.cycle import disconnect, new_cycle
from scoreboard.server.flow import HeldFlow
from scoreboard.server.refusal import RefusalLog, Refused, response
from scoreboard.server.stream_connection import StreamConnection
from scoreboard.web.detached import CONNECTION, MOST_DISCARDED_BYTES

GOODBYE_SECONDS: Final = 0.05
"""How long a client may take to end TLS properly when the server stops: uvicorn then waits twice as long by itself."""

VERSIONS: Final = ("1.1", "1.0")


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
        self.headers: list[tuple[bytes, bytes]] = []
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
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._ignore_upgrade(data[upgrade.args[0] :])
            return
        except httptools.HttpParserError as error:
            self.refuse(self._refusals.status_of(error))
            return
        excess = self._count.excess
        if excess is not None:
            self.refuse(excess)
        elif len(self.headers) > limits.MOST_HEADERS:
            self.refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def _ignore_upgrade(self, rest: bytes) -> None:
        """Parse a request with `Upgrade` once more, without it (RFC 9110, section 7.8).

        For httptools such a request ends with its header. `rest` comes after that.
        """
        parser = self.parser
        head = request_head.without_upgrade(parser.get_method(), self.url, parser.get_http_version(), self.headers)
        self._count.end_request()
        # The old one ignores everything after a request that is the last of its connection, as this one may be.
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._parse(head + rest)

    # Calls of the parser

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._count.has_begun = True
        self.asking_since = self.loop.time()

    def on_headers_complete(self) -> None:
        """Have the request answered, or queue it: as uvicorn does, which fails at targets that are no paths."""
        if self._count.may_exceed_header and request_head.size(self.url, self.headers) > limits.MOST_HEADER_BYTES:
            raise Refused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        version, method = self.parser.get_http_version(), self.parser.get_method()
        if version not in VERSIONS:
            raise Refused(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED)
        if method == b"CONNECT":
            raise Refused(HTTPStatus.NOT_IMPLEMENTED)
        if self.parser.should_upgrade():
            # `_parse` has the header parsed once more.
            return
        try:
            raw_path, query = request_head.path_and_query(self.url)
        except ValueError:
            raise Refused(HTTPStatus.BAD_REQUEST) from None
        # Trailers are put there too, and nothing after the header may decide anything.
        self.headers = []
        self._count.begin_body()
        self.asking_since, self.sending_since = None, self.loop.time()
        scope = self.scope
        path = raw_path.decode("ascii")
        scope["http_version"], scope["method"] = version, method.decode("ascii")
        scope["path"], scope["raw_path"] = unquote(path) if "%" in path else path, raw_path
        scope["query_string"] = query
        cycle = new_cycle(self, is_kept_alive=version != "1.0" and self.parser.should_keep_alive())
        extensions: dict[str, Any] = {CONNECTION: StreamConnection(self, cycle)}
        scope["extensions"] = extensions
        self.cycle = cycle
        if self.is_busy:
            self.flow.hold()
            self.pipeline.appendleft((cycle, self.app))
        else:
            self._start_asgi_task(cycle, self.app)

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
            disconnect(self.cycle)
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
            disconnect(self._answering)
        super().connection_lost(exc)
        # They know each other; without the collector, whose turn comes seldom, none of them would go.
        self.scope = self.cycle = self._answering = None  # type: ignore[assignment]
        self.pipeline.clear()
        self._held.clear()
