"""Fetching a small document in a thread that has to come to an end, be the server slow, silent or broken."""

import ssl
import time
import urllib.request
from collections.abc import Callable
from functools import partial
from http.client import HTTPConnection, HTTPMessage, HTTPResponse, HTTPSConnection
from io import BufferedReader, RawIOBase
from socket import socket
from typing import Any, Final, NoReturn

from scoreboard import __version__

FETCH_SECONDS: Final = 5.0
MOST_BYTES: Final = 262_144

AGENT: Final = f"scoreboard/{__version__}"
"""Some servers refuse requests that call themselves Python-urllib."""


def fetch(url: str, seconds: float = FETCH_SECONDS) -> bytes:
    """What is there. Raises OSError (TimeoutError past its time), HTTPException, ValueError (too long; a redirect)."""
    in_time = partial(_connection, time.monotonic() + seconds)
    opener = urllib.request.build_opener(_Http(in_time), _Https(in_time), _NoRedirects())
    opener.addheaders = [("User-Agent", AGENT), ("Accept", "application/json, */*;q=0.1")]
    with opener.open(url, timeout=seconds) as response:
        document: bytes = response.read(MOST_BYTES + 1)
    if len(document) > MOST_BYTES:
        raise ValueError(f"more than {MOST_BYTES} bytes")
    return document


class _Http(urllib.request.HTTPHandler):
    def __init__(self, in_time: Callable[..., HTTPConnection]) -> None:
        super().__init__()
        self._connect: Any = partial(in_time, HTTPConnection)

    def http_open(self, request: urllib.request.Request) -> HTTPResponse:
        return self.do_open(self._connect, request)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, in_time: Callable[..., HTTPConnection]) -> None:
        super().__init__()
        self._connect: Any = partial(in_time, HTTPSConnection)

    def https_open(self, request: urllib.request.Request) -> HTTPResponse:
        return self.do_open(self._connect, request, context=ssl.create_default_context())


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """The address is a setting. Another one, which whoever answers may choose, could be without TLS, or inside."""

    def http_error_302(
        self,
        req: urllib.request.Request,  # noqa: ARG002  # urllib's signature
        fp: Any,
        code: int,
        msg: str,  # noqa: ARG002
        headers: HTTPMessage,  # noqa: ARG002
    ) -> NoReturn:
        fp.close()
        raise ValueError(
            f"the answer is a redirect ({code}), and none is followed: set the address that it leads to"
        )

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


def _connection(until: float, kind: type[HTTPConnection], *args: Any, **kwargs: Any) -> HTTPConnection:
    connection = kind(*args, **kwargs)
    # (typeshed takes it for a class; what makes a response will do.)
    vars(connection)["response_class"] = partial(_response, until)
    return connection


def _response(until: float, connected: socket, *args: Any, **kwargs: Any) -> HTTPResponse:
    response = HTTPResponse(connected, *args, **kwargs)
    response.fp = BufferedReader(_InTime(response.fp, connected, until))
    return response


class _InTime(RawIOBase):
    """What comes until then. A socket's own timeout counts anew from each byte, so a trickle would last for ever."""

    def __init__(self, source: BufferedReader, connected: socket, until: float) -> None:
        self._source = source
        self._connected = connected
        self._until = until

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("it takes too long")
        self._connected.settimeout(left)
        return self._source.readinto1(buffer)

    def close(self) -> None:
        self._source.close()
        super().close()
