"""A server of a key set, with responses of the test."""

import json
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Final

NO_KEY_SETS: Final = {
    "nothing": b"",
    "an empty object": b"{}",
    "a list": b"[]",
    "a number": b"7",
    "null": b"null",
    "keys that are no list": b'{"keys": {"a": 1}}',
    "keys that are null": b'{"keys": null}',
    "keys that are no objects": b'{"keys": ["x", 7, null, [], true]}',
    "no keys": b'{"keys": []}',
    "HTML": b"<!doctype html><title>Sign in</title>",
    "not UTF-8": b'{"keys": ["\xff\xfe"]}',
    "half of it": b'{"keys": [{"kty": "RSA", "n": "',
    "nested deeply": b"[" * 100_000,
    "a number of many digits": b'{"keys": [' + b"9" * 10_000 + b"]}",
    "several megabytes": b'{"keys": [' + b" " * 4_000_000 + b"]}",
}
"""Responses with status 200 and without a usable key."""


@dataclass
class Issuer:
    """The server and its responses."""

    url: str
    keys: list[dict[str, Any]]
    asked: int = 0
    fails: bool = False
    body: bytes | None = None
    """The response, instead of the keys."""
    agent: str | None = None
    """The `User-Agent` of the last request."""


class publishing:  # noqa: N801  # reads as a verb: with publishing(…)
    """Context manager of a server."""

    def __init__(self, keys: list[dict[str, Any]]) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(handler) -> None:  # noqa: N805  # http.server's name
                self.issuer.asked += 1
                self.issuer.agent = handler.headers["User-Agent"]
                body = (
                    json.dumps({"keys": self.issuer.keys}).encode()
                    if self.issuer.body is None
                    else self.issuer.body
                )
                handler.send_response(500 if self.issuer.fails else 200)
                handler.send_header("Content-Length", str(len(body)))
                handler.end_headers()
                try:
                    handler.wfile.write(body)
                except OSError:
                    # The client has closed the connection.
                    return

            def log_message(handler, *_: Any) -> None:  # noqa: N805
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = Issuer(f"http://127.0.0.1:{self._server.server_port}/jwks.json", keys)

    def __enter__(self) -> Issuer:
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self.issuer

    def __exit__(self, *exc_info: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
