"""A connection that a test holds in its hand: a TCP relay that cuts, swallows, refuses and leads elsewhere."""

import asyncio
from contextlib import suppress
from typing import Self


class Relay:
    """Passes bytes on between clients and a server on this machine, until it is told otherwise."""

    def __init__(self, port: int) -> None:
        self.target_port = port
        """Where new connections lead: as with a name, those that are open stay where they are."""
        self._connections: set[asyncio.Task[None]] = set()
        self.cut_before: bytes | None = None
        """Where a client sends this, it never arrives, and the connection is cut."""
        self.cut_after: bytes | None = None
        """Once a client has sent this, the server's answer is swallowed and the connection is cut."""
        self.has_cut = False
        self.deaf_after: bytes | None = None
        """Once a client has sent this and was answered, nothing that the server sends on this connection arrives."""
        self.is_refusing = False
        self.accepted = 0
        """The number of accepted connections."""
        self.admits = asyncio.Event()
        """Not set: new connections are taken and led nowhere; those that are open go on."""
        self.admits.set()
        self.passes = asyncio.Event()
        """Not set: what is sent is kept, in both directions, and nobody is told."""
        self.passes.set()

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
        # What was aborted is closed by the loop's next turns.
        for _ in range(3):
            await asyncio.sleep(0)

    def _is_sent(self, awaited: str, data: bytes) -> bool:
        """Whether a client has sent what is waited for: once."""
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
