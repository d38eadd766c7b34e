"""A TCP relay that a test controls: it can cut connections, drop bytes, refuse clients, change its target."""

import asyncio
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit


class Relay:
    """Forwards bytes between clients and a server on this machine."""

    def __init__(self, port: int) -> None:
        self.target_port = port
        """The target of new connections. Open connections keep their target, as after a change of a DNS name.
        """
        self._connections: set[asyncio.Task[None]] = set()
        self.cut_before: bytes | None = None
        """When a client sends these bytes, the relay drops them and cuts the connection."""
        self.cut_after: bytes | None = None
        """After a client has sent these bytes, the relay drops the server's answer and cuts the connection.
        """
        self.has_cut = False
        self.deaf_after: bytes | None = None
        """After a client has sent these bytes and got an answer, the relay drops all further bytes from the
        server.
        """
        self.is_refusing = False
        self.accepted = 0
        """The number of accepted connections."""
        self.admits = asyncio.Event()
        """While this is not set, new connections are accepted but not forwarded. Open connections continue.
        """
        self.admits.set()
        self.passes = asyncio.Event()
        """While this is not set, the relay holds back all bytes in both directions."""
        self.passes.set()

    @classmethod
    def to(cls, url: str) -> Self:
        port = urlsplit(url).port
        assert port is not None
        return cls(port)

    def through(self, url: str) -> str:
        """Return the URL of a server, with the port of this relay."""
        return url.replace(f":{urlsplit(url).port}/", f":{self.port}/")

    @property
    def open(self) -> int:
        """The number of open connections."""
        return len(self._connections)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        if self._connections:
            await asyncio.wait(self._connections)
        # Aborted transports are closed in the next iterations of the event loop.
        for _ in range(3):
            await asyncio.sleep(0)

    def _is_sent(self, awaited: str, data: bytes) -> bool:
        """Return True, once, if a client has sent the expected bytes."""
        text: bytes | None = getattr(self, awaited)
        if text is None or text not in data:
            return False
        setattr(self, awaited, None)
        return True

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.current_task()
        assert connection is not None
        self._connections.add(connection)
        self.accepted += 1
        try:
            if not self.is_refusing:
                with suppress(asyncio.CancelledError):
                    await self.admits.wait()
                    await self._relay(reader, writer)
        finally:
            self._connections.discard(connection)
            writer.transport.abort()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind, to_server = await asyncio.open_connection("127.0.0.1", self.target_port)
        cut, deaf = asyncio.Event(), asyncio.Event()
        ways = [
            asyncio.create_task(self._there(reader, to_server, cut, deaf)),
            asyncio.create_task(self._back(behind, writer, cut, deaf)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.wait(ways)
            to_server.transport.abort()

    async def _there(
        self,
        reader: asyncio.StreamReader,
        to_server: asyncio.StreamWriter,
        cut: asyncio.Event,
        deaf: asyncio.Event,
    ) -> None:
        while data := await reader.read(65_536):
            await self.passes.wait()
            if self._is_sent("cut_before", data):
                return
            if self._is_sent("cut_after", data):
                cut.set()
            if self._is_sent("deaf_after", data):
                deaf.set()
            to_server.write(data)

    async def _back(
        self,
        behind: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        cut: asyncio.Event,
        deaf: asyncio.Event,
    ) -> None:
        is_deaf = False
        while data := await behind.read(65_536):
            await self.passes.wait()
            if cut.is_set():
                self.has_cut = True
                return
            if not is_deaf:
                writer.write(data)
                is_deaf = deaf.is_set()
