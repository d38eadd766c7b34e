"""Limits of one connection: bytes and time at every stage of a request. `docs/security.md` lists them."""

from http import HTTPStatus
from typing import Final

from scoreboard.web.request_parts import MAX_BODY_BYTES
from scoreboard.web.streaming.socket_subscriber import MAX_DISCARDED_BYTES

READ_BYTES: Final = 16_384
"""Bytes per read from a socket. Pipelined requests wait in this buffer while an earlier one is answered."""

SLICE_BYTES: Final = 512
"""Bytes parsed at a time. After each slice, limits are checked and parsing can stop."""

MAX_HEADER_BYTES: Final = 32_768
"""Request line and header; of a body, everything but its content (chunk sizes, chunk extensions, trailers).
A token of 8 KiB fits, next to cookies of other applications on the same host."""

MAX_HEADERS: Final = 256
"""Header fields of a request. A short field costs twenty times its length in memory."""

HANDSHAKE_SECONDS: Final = 10.0
"""Time limit of a TLS handshake."""

HEADER_SECONDS: Final = 10.0
"""Time limit of a request's header, and of a new connection before its first request."""

BODY_SECONDS: Final = 10.0
"""Time limit of a body after its header: 16 KiB arrive in this time at 13 kbit/s."""

LINGER_SECONDS: Final = 2.0
"""Time for which a refused client may continue to send."""

UNREAD_SECONDS: Final = 30.0
"""Time for which a client may read nothing of an answer. Streams have the same limit (`fanout.ring`)."""


class ByteCount:
    """Count the bytes of one connection, stage by stage: header of a request, then its body."""

    __slots__ = ("_body", "_is_in_body", "_overhead", "has_begun")

    def __init__(self) -> None:
        self.has_begun = False
        """True once a request line has begun and until the end of the request."""
        self._is_in_body = False
        self._body = 0
        self._overhead = 0
        """The number of bytes of this stage that are not content of a body."""

    def received(self, size: int) -> None:
        self._overhead += size

    def begin_body(self) -> None:
        self._is_in_body = True
        self._body = self._overhead = 0

    def body_received(self, size: int) -> None:
        self._body += size
        self._overhead -= size

    def end_request(self) -> None:
        self.has_begun = self._is_in_body = False
        self._overhead = 0

    @property
    def may_exceed_header(self) -> bool:
        """True if the header may be too large. The count includes bytes that were received with its end."""
        return self._overhead > MAX_HEADER_BYTES

    @property
    def is_body_readable(self) -> bool:
        """True while the body is not larger than any route reads.

        Later bytes are received and discarded for a while. If the connection closed at once, a client that is
        still sending would not see the answer.
        """
        return self._body <= MAX_BODY_BYTES

    @property
    def excess(self) -> HTTPStatus | None:
        """The status to refuse the request with, if it has too many bytes.

        A slice may contain the end of one stage and the start of the next, hence the tolerance of a slice.
        """
        if self._overhead > MAX_HEADER_BYTES + SLICE_BYTES:
            return HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        if self._is_in_body and self._body > MAX_DISCARDED_BYTES:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        return None


class Progress:
    """Detect a client that does not read its answer."""

    __slots__ = ("_taken_at", "_waiting")

    def __init__(self, now: float) -> None:
        self._waiting = 0
        self._taken_at = now
        """The last time at which the number of waiting bytes had decreased or was zero (loop time)."""

    def is_stalled(self, waiting: int, now: float, *, is_closing: bool) -> bool:
        """Return True if the client has read nothing for `UNREAD_SECONDS`. Call it about once a second.

        On a closing connection, return True as well if the client has not ended TLS `LINGER_SECONDS` after
        everything was sent. Until then, the loop decrypts and discards the client's bytes.
        """
        if waiting < self._waiting or not (waiting or is_closing):
            self._taken_at = now
        self._waiting = waiting
        if waiting:
            return self._taken_at <= now - UNREAD_SECONDS
        return is_closing and self._taken_at <= now - LINGER_SECONDS
