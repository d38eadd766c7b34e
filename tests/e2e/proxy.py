"""A proxy in front of a server. It can answer 503 itself, or not at all."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

from tests.limits import LIMIT_SECONDS

UNAVAILABLE = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/html\r\n"
    b"Content-Length: 4\r\nConnection: close\r\n\r\ndown"
)


class Proxy:
    """Forwards bytes in both directions, with one thread for each direction."""

    def __init__(self, port: int, instead: bytes) -> None:
        self._instead = instead
        self._target = ("127.0.0.1", port)
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.refused = 0
        self._is_down = False
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def in_front_of(self, url: str) -> str:
        """Return the URL that reaches a URL of the server through the proxy."""
        return url.replace(f":{self._target[1]}/", f":{self.port}/")

    def go_down(self) -> None:
        """Cut all connections, and answer new requests with this response."""
        with self._lock:
            self._is_down = True
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def come_back(self) -> None:
        with self._lock:
            self._is_down = False

    def close(self) -> None:
        self.go_down()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._accepting.join(5)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client:
            if self._is_down:
                self.refused += 1
                with suppress(OSError):
                    client.recv(65_536)
                    client.sendall(self._instead)
                return
            with suppress(OSError), socket.create_connection(self._target, timeout=LIMIT_SECONDS) as server:
                server.settimeout(None)
                with self._lock:
                    self._open |= {client, server}
                back = threading.Thread(target=self._pass, args=(server, client), daemon=True)
                back.start()
                self._pass(client, server)
                back.join()
                with self._lock:
                    self._open -= {client, server}

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                sink.sendall(data)
        for each in (source, sink):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


@contextmanager
def proxying(url: str, instead: bytes = UNAVAILABLE) -> Iterator[Proxy]:
    """Run a proxy in front of the server at a URL."""
    proxy = Proxy(urlsplit(url).port or 80, instead)
    try:
        yield proxy
    finally:
        proxy.close()
