"""The HTTP/1.1 protocol of one connection: uvicorn's, with limits at every stage of a request."""

import asyncio
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import unquote

import httptools

from scoreboard.server import connection_limits as limits
from scoreboard.server import request_head
from scoreboard.server.refusal import RefusalLog, Refused, response
from scoreboard.server.uvicorn_internals import Config, ServerState, UvicornProtocol
from scoreboard.web.streaming.socket_subscriber import MAX_DISCARDED_BYTES

TLS_CLOSE_SECONDS: Final = 0.05
"""Time limit of a client's TLS close when the server stops. uvicorn waits at least 0.1 s for all."""

VERSIONS: Final = ("1.1", "1.0")


class HttpProtocol(UvicornProtocol, asyncio.BufferedProtocol):
    """Serve one connection.

    Received bytes are parsed in slices. When a request is queued behind one that is being answered, parsing
    and reading stop until that answer has ended. At most one slice of requests and one read are buffered.
    """

    def __init__(
        self, config: Config, server_state: ServerState, read_buffer: memoryview, refusals: RefusalLog
    ) -> None:
        """Create a connection. All connections of a loop share `read_buffer`: each call empties it."""
        super().__init__(config, server_state)
        self._read_buffer = read_buffer
        self._refusals = refusals
        self.header_since: float | None = None
        """The start of the request whose header is incomplete (seconds of the loop)."""
        self.body_since: float | None = None
        """The start of the incomplete body."""
        self.is_streaming = False
        """True if the response is a stream: it has no end, so no other request can follow."""
        self._refused: HTTPStatus | None = None
        """The refusal of the last request, sent after the answers to those before it."""
        self._held = bytearray()
        self._is_lingering = False
        self._discarded = 0
        self._count = limits.ByteCount()
        self._progress = limits.Progress(self.loop.time())

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's own
        super().connection_made(transport)
        self.header_since = self.loop.time()

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
        """Discard received bytes. Disconnect a client that sends too many."""
        self._discarded += size
        if self._discarded > MAX_DISCARDED_BYTES:
            self.transport.abort()

    def _parse_held(self) -> None:
        while self._held and not self.flow.is_held and not self.transport.is_closing():
            data = bytes(self._held[: limits.SLICE_BYTES])
            del self._held[: limits.SLICE_BYTES]
            self._parse(data)

    def _parse(self, data: bytes) -> None:
        self.cancel_keep_alive_timer()
        if self.header_since is None and self.body_since is None:
            # The next request, or empty lines before it. This time limit replaces that of idle connections.
            self.header_since = self.loop.time()
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
        elif len(self.headers) > limits.MAX_HEADERS:
            self.refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def _ignore_upgrade(self, rest: bytes) -> None:
        """Parse a request with `Upgrade` once more, without it (RFC 9110, section 7.8).

        httptools ends such a request after its header. `rest` are the bytes after the header.
        """
        parser = self.parser
        head = request_head.without_upgrade(
            parser.get_method(), self.url, parser.get_http_version(), self.headers
        )
        self._count.end_request()
        # The old parser ignores all bytes after the last request of a connection, which this one may be.
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._parse(head + rest)

    # Calls of the parser

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._count.has_begun = True
        self.header_since = self.loop.time()

    def on_headers_complete(self) -> None:
        """Start or queue the request, as uvicorn does. (uvicorn fails at targets that are not paths.)"""
        if (
            self._count.may_exceed_header
            and request_head.size(self.url, self.headers) > limits.MAX_HEADER_BYTES
        ):
            raise Refused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        version, method = self.parser.get_http_version(), self.parser.get_method()
        if version not in VERSIONS:
            raise Refused(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED)
        if method == b"CONNECT":
            raise Refused(HTTPStatus.NOT_IMPLEMENTED)
        if self.parser.should_upgrade():
            # `_parse` parses the header again.
            return
        if not request_head.has_valid_host(self.headers, version):
            raise Refused(HTTPStatus.BAD_REQUEST)
        try:
            raw_path, query = request_head.path_and_query(self.url)
        except ValueError:
            raise Refused(HTTPStatus.BAD_REQUEST) from None
        # The parser adds trailers to the same list. They must have no effect.
        self.headers = []
        self._count.begin_body()
        self.header_since, self.body_since = None, self.loop.time()
        scope = self.scope
        path = raw_path.decode("ascii")
        scope["http_version"], scope["method"] = version, method.decode("ascii")
        scope["path"], scope["raw_path"] = unquote(path) if "%" in path else path, raw_path
        scope["query_string"] = query
        self.start_or_queue(
            keep_alive=version != "1.0"
            and self.parser.should_keep_alive()
            and not self.server_state.is_draining
        )

    def on_body(self, body: bytes) -> None:
        is_readable = self._count.is_body_readable
        self._count.body_received(len(body))
        if is_readable:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if self.parser.should_upgrade():
            return
        self.body_since = None
        self._count.end_request()
        super().on_message_complete()
        if not self.parser.should_keep_alive():
            # Even if only a trailer says so: the parser ignores everything after this request.
            self.close_after_newest()

    # Answering

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing() or self.has_queue:
            return
        if self._refused is None:
            self.flow.release()
            self._parse_held()
        elif not self.is_busy:
            self._answer_refused(self._refused)

    def begin_stream(self, cycle: Any) -> None:
        self.is_streaming = True
        self.header_since = self.body_since = self._refused = None
        self._held.clear()
        super().begin_stream(cycle)

    # Refusing

    def refuse(self, status: HTTPStatus) -> None:
        """Refuse the newest, incomplete request after those before it are answered, and stop reading it."""
        has_body_begun = self.body_since is not None
        self.header_since = self.body_since = None
        if self._is_lingering or self.transport.is_closing():
            return
        self._held.clear()
        self.flow.hold()
        if has_body_begun and not self.drop_newest():
            # The client would take a second answer for that to its next request.
            self.transport.abort()
            return
        if self.is_busy:
            self._refused = status
        else:
            self._answer_refused(status)

    def _answer_refused(self, status: HTTPStatus) -> None:
        self._refusals.refused(status)
        self.transport.write(response(status))
        if self.is_tls:
            self.transport.close()
            return
        # Closing at once resets the connection of a client that still sends, which may miss the answer.
        self._is_lingering = True
        with suppress(OSError):
            # asyncio raises it if the client has reset the connection.
            self.transport.write_eof()
        self.flow.release()
        self.loop.call_later(limits.LINGER_SECONDS, self.transport.abort)

    def refuse_if_slow(self, now: float) -> None:
        """End the connection if a request arrives too slowly, or if the client does not read an answer."""
        is_closing = self.transport.is_closing()
        is_stalled = self._progress.is_stalled(
            self.transport.get_write_buffer_size(), now, is_closing=is_closing
        )
        # The hub ends streams.
        if is_stalled and (is_closing or not self.is_streaming):
            self.transport.abort()
        elif self.has_queue and self.body_since is not None:
            # Nothing is read while earlier requests are answered: the time limit starts after them.
            self.body_since = now
        elif self.body_since is not None and self.body_since <= now - limits.BODY_SECONDS:
            self.refuse(HTTPStatus.REQUEST_TIMEOUT)
        elif self.header_since is None or self.header_since > now - limits.HEADER_SECONDS or self.is_busy:
            return
        elif self._count.has_begun:
            self.refuse(HTTPStatus.REQUEST_TIMEOUT)
        else:
            # Browsers open connections in advance: close them without an answer.
            self.transport.close()

    # The end

    def shutdown(self) -> None:
        super().shutdown()
        if self.is_tls and not self.is_busy:
            # An idle client may never answer TLS's close_notify. The loop would wait 30 s for it.
            self.loop.call_later(TLS_CLOSE_SECONDS, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._held.clear()
