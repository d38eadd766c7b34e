"""A minimal HTTP/1.1 client: cheap, and exact about what is known when a connection fails."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import closing
from dataclasses import dataclass
from urllib.parse import urlsplit


class NotConnected(Exception):
    """Raised when there is no connection: no byte of the request was sent."""


class ConnectionLost(Exception):
    """Raised when at least a part of a request was sent and no complete answer arrived."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True, eq=False)
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def close(self) -> None:
        self.writer.transport.abort()

    @property
    def is_open(self) -> bool:
        return not (self.reader.at_eof() or self.writer.is_closing())


class Connections:
    """Keep-alive connections to one instance, one for each concurrent request."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        self._host, self._port = parts.hostname, parts.port or 80
        self._idle: list[_Connection] = []

    async def request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"", *, within_seconds: float
    ) -> Answer:
        """Send a request and wait for its answer.

        Raises NotConnected, or ConnectionLost, also after a time-out.
        """
        connection = await self._connection(within_seconds)
        answered = False
        try:
            async with asyncio.timeout(within_seconds):
                connection.writer.write(self._head(method, path, headers, len(body)) + body)
                status, answer_headers = await _read_head(connection.reader)
                length = int(answer_headers.get("content-length", "0"))
                answer = Answer(status, answer_headers, await connection.reader.readexactly(length))
            answered = True
        except TimeoutError as error:
            raise ConnectionLost(f"no answer within {within_seconds} s") from error
        except (OSError, EOFError) as error:
            raise ConnectionLost(f"the connection was lost: {error}") from error
        finally:
            if answered and answer_headers.get("connection") != "close":
                self._idle.append(connection)
            else:
                connection.close()
        return answer

    async def events(
        self, path: str, headers: Mapping[str, str], *, within_seconds: float
    ) -> AsyncGenerator[dict[str, str], None]:
        """Yield the fields of each event of a stream until it ends, or until it is silent for
        `within_seconds`.

        Raises NotConnected, ConnectionLost.
        """
        connection = await self._connect(within_seconds)
        with closing(connection):
            try:
                connection.writer.write(self._head("GET", path, headers, 0))
                async with asyncio.timeout(within_seconds):
                    status, answer_headers = await _read_head(connection.reader)
                if status != 200:
                    raise ConnectionLost(f"a stream was answered with {status}")
                is_chunked = answer_headers.get("transfer-encoding") == "chunked"
                text = b""
                while part := await asyncio.wait_for(
                    _read_part(connection.reader, is_chunked), within_seconds
                ):
                    *blocks, text = (text + part).split(b"\n\n")
                    for block in blocks:
                        yield _fields(block.decode())
            except TimeoutError as error:
                raise ConnectionLost(f"nothing came within {within_seconds} s") from error
            except (OSError, EOFError) as error:
                raise ConnectionLost(f"the connection was lost: {error}") from error

    def close(self) -> None:
        """Close idle connections. Busy connections close themselves."""
        for connection in self._idle:
            connection.close()
        self._idle.clear()

    async def _connection(self, within_seconds: float) -> _Connection:
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open:
                return connection
            connection.close()
        return await self._connect(within_seconds)

    async def _connect(self, within_seconds: float) -> _Connection:
        try:
            async with asyncio.timeout(within_seconds):
                return _Connection(*await asyncio.open_connection(self._host, self._port))
        except OSError as error:
            raise NotConnected from error

    def _head(self, method: str, path: str, headers: Mapping[str, str], length: int) -> bytes:
        lines = [f"{method} {path} HTTP/1.1", f"host: {self._host}:{self._port}", f"content-length: {length}"]
        lines += (f"{name}: {value}" for name, value in headers.items())
        return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def _read_head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    status_line, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").rstrip("\r\n").split("\r\n")
    headers = (line.partition(":") for line in lines)
    return int(status_line.split(" ", 2)[1]), {name.lower(): value.strip() for name, _, value in headers}


async def _read_part(reader: asyncio.StreamReader, is_chunked: bool) -> bytes:
    """Return the next bytes of a body, or no bytes at its end (RFC 9112, section 7.1)."""
    if not is_chunked:
        return await reader.read(65_536)
    length = int(await reader.readuntil(b"\r\n"), 16)
    return (await reader.readexactly(length + 2))[:length]


def _fields(block: str) -> dict[str, str]:
    lines = (line.partition(":") for line in block.split("\n"))
    return {name: value.removeprefix(" ") for name, _, value in lines if name}
