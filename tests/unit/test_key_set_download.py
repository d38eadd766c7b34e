"""Downloading a key set, from servers that are slow, broken or not trusted."""

import gzip
import socket
import ssl
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

import httpx2
import pytest
import trustme

from scoreboard.web.auth import key_set_download
from scoreboard.web.auth.key_set_download import download
from tests.limits import LIMIT_SECONDS

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@contextmanager
def serving(at_once: bytes, drop: bytes = b"", tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Yield the URL of a server that sends some bytes at once, then the same few again and again."""
    over = Event()

    def serve() -> None:
        accepted, _ = listening.accept()
        try:
            connection = accepted if tls is None else tls.wrap_socket(accepted, server_side=True)
        except ssl.SSLError:  # The client refuses the certificate.
            accepted.close()
            return
        # The client may have closed the connection.
        with connection, suppress(OSError):
            connection.recv(65_536)
            connection.sendall(at_once)
            while drop and not over.wait(0.02):
                connection.sendall(drop)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = Thread(target=serve)
        thread.start()
        try:
            yield f"http{'s' if tls else ''}://127.0.0.1:{listening.getsockname()[1]}/keys.json"
        finally:
            over.set()
            # On a slow machine, the time limit of a download may end before it has connected.
            socket.create_connection(listening.getsockname()).close()
            thread.join(LIMIT_SECONDS)


async def test_a_document_is_downloaded() -> None:
    with serving(HEAD + b"Content-Length: 2\r\n\r\n{}") as url:
        assert await download(url) == b"{}"


def compressed(encoding: bytes, content: bytes) -> bytes:
    return HEAD + b"Content-Encoding: %b\r\nContent-Length: %d\r\n\r\n%b" % (encoding, len(content), content)


@pytest.mark.parametrize(
    ("encoding", "compress"),
    [(b"gzip", gzip.compress), (b"GZIP", gzip.compress), (b"deflate", zlib.compress)],
)
async def test_a_compressed_document_is_decompressed_up_to_the_limit(
    encoding: bytes, compress: Callable[[bytes], bytes]
) -> None:
    with serving(compressed(encoding, compress(b"{}"))) as url:
        assert await download(url) == b"{}"
    bomb = compress(bytes(100 * key_set_download.MAX_BYTES))
    assert len(bomb) < key_set_download.MAX_BYTES
    with serving(compressed(encoding, bomb)) as url, pytest.raises(ValueError, match="more than"):
        await download(url)
    with serving(compressed(encoding, b"{}")) as url, pytest.raises(ValueError, match="not valid"):
        await download(url)


@pytest.mark.parametrize(
    ("at_once", "drop"),
    [
        (b"HTTP/1.1 200 ", b"O"),
        (HEAD, b"A: a\r\n"),
        (HEAD + b"Content-Length: 200000\r\n\r\n", b" "),
        (HEAD + b"\r\n", b" "),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    ],
    ids=["status", "headers", "body", "body without an end", "chunks"],
)
async def test_the_time_limit_is_for_the_whole_download(at_once: bytes, drop: bytes) -> None:
    with serving(at_once, drop) as url, pytest.raises(TimeoutError):
        await download(url, seconds=0.3)


async def test_a_large_document_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_set_download, "MAX_BYTES", 1_000)
    with (
        serving(HEAD + b"\r\n" + b" " * 1_001) as url,
        pytest.raises(ValueError, match="more than 1000 bytes"),
    ):
        await download(url)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(status: int) -> None:
    with serving(HEAD + b"Content-Length: 2\r\n\r\n{}") as elsewhere:
        answer = b"HTTP/1.1 %d Elsewhere\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n" % (
            status,
            elsewhere.encode(),
        )
        with serving(answer) as url, pytest.raises(ValueError, match=rf"redirect \({status}\)"):
            await download(url)
        assert await download(elsewhere) == b"{}", "no earlier request"


async def test_the_certificate_is_verified(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    authority = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    response = HEAD + b"Content-Length: 2\r\n\r\n{}"
    with serving(response, tls=tls) as url, pytest.raises(httpx2.ConnectError, match="CERTIFICATE_VERIFY"):
        await download(url)
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    with serving(response, tls=tls) as url:
        assert await download(url) == b"{}"
