"""HTTP requests and streams of one instance, exact about what is known when a connection fails."""

from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle

import httpx2

LIMITS = httpx2.Limits(max_connections=None, max_keepalive_connections=20, keepalive_expiry=None)

POOLS = 16
"""Each request searches the connections of its pool, so a crowd of a thousand is spread over several."""


class NotConnected(Exception):
    """Raised when there is no connection: no byte of the request was sent."""


class ConnectionLost(Exception):
    """Raised when at least a part of a request was sent and no complete answer arrived."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer. Names of headers are case-insensitive."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Connections:
    """Keep-alive connections to one instance, one for each concurrent request."""

    def __init__(self, url: str) -> None:
        headers = {"accept-encoding": "identity"}
        self._clients = [
            httpx2.AsyncClient(base_url=url, headers=headers, limits=LIMITS, trust_env=False, verify=False)
            for _ in range(POOLS)
        ]
        self._turns = cycle(self._clients)

    async def request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"", *, within_seconds: float
    ) -> Answer:
        """Send a request and wait for its answer.

        Raises NotConnected, or ConnectionLost, also after a time-out.
        """
        with _failures():
            response = await next(self._turns).request(
                method, path, headers=headers, content=body, timeout=within_seconds
            )
        return Answer(response.status_code, response.headers, response.content)

    async def events(
        self, path: str, headers: Mapping[str, str], *, within_seconds: float
    ) -> AsyncGenerator[dict[str, str], None]:
        """Yield the fields of each event of a stream until it ends, or until it is silent for
        `within_seconds`.

        Raises NotConnected, ConnectionLost.
        """
        with _failures():
            client = next(self._turns)
            async with client.stream("GET", path, headers=headers, timeout=within_seconds) as response:
                if response.status_code != 200:
                    raise ConnectionLost(f"a stream was answered with {response.status_code}")
                text = b""
                async for part in response.aiter_raw():
                    *blocks, text = (text + part).split(b"\n\n")
                    for block in blocks:
                        yield _fields(block.decode())

    async def aclose(self) -> None:
        for client in self._clients:
            await client.aclose()


@contextmanager
def _failures() -> Iterator[None]:
    try:
        yield
    except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
        raise NotConnected from error
    except httpx2.TransportError as error:
        raise ConnectionLost(f"the connection was lost: {error!r}") from error


def _fields(block: str) -> dict[str, str]:
    lines = (line.partition(":") for line in block.split("\n"))
    return {name: value.removeprefix(" ") for name, _, value in lines if name}
