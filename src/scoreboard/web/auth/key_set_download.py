"""Downloading a key set, with limits for its time and size.

PyJWT's own client limits neither the time of the whole download nor its size, and follows redirects.
"""

import asyncio
import ssl
import zlib
from typing import TYPE_CHECKING, Final

from scoreboard import __version__

if TYPE_CHECKING:
    from httpx2 import AsyncClient

DOWNLOAD_SECONDS: Final = 5.0
MAX_BYTES: Final = 262_144

_ANY_HEADER: Final = 32 + zlib.MAX_WBITS
"""`zlib` then detects the header: that of gzip or that of zlib."""


async def download(url: str, seconds: float = DOWNLOAD_SECONDS) -> bytes:
    """Return the document at a URL. Raises TimeoutError, httpx2.HTTPError, ValueError (bad response)."""
    try:
        async with (
            asyncio.timeout(seconds),
            await asyncio.to_thread(_make_client) as client,
            client.stream("GET", url) as response,
        ):
            # The target of a redirect may be without TLS, or inside the network.
            if response.is_redirect:
                raise ValueError(
                    f"the response is a redirect ({response.status_code}): set the address that it leads to"
                )
            if not response.is_success:
                raise ValueError(f"the response has status {response.status_code}")
            document = bytearray()
            async for chunk in response.aiter_raw():
                document += chunk
                if len(document) > MAX_BYTES:
                    raise ValueError(f"the response has more than {MAX_BYTES} bytes")
            return _decompressed(bytes(document), response.headers.get("Content-Encoding", ""))
    except TimeoutError:
        raise TimeoutError(f"the response took longer than {seconds:g} s") from None


def _decompressed(document: bytes, encoding: str) -> bytes:
    """Return the content. Some servers compress it although the request refuses that. Raises ValueError."""
    if encoding.lower() not in {"gzip", "x-gzip", "deflate"}:
        return document
    try:
        # The second argument limits the memory for a small document of a large content.
        content = zlib.decompressobj(_ANY_HEADER).decompress(document, MAX_BYTES + 1)
    except zlib.error as error:
        raise ValueError(f"the response is not valid {encoding}") from error
    if len(content) > MAX_BYTES:
        raise ValueError(f"the response has more than {MAX_BYTES} bytes")
    return content


def _make_client() -> "AsyncClient":
    """Import httpx2 and read the system's certificates, which take too long for the event loop."""
    import httpx2  # noqa: PLC0415

    # Some servers refuse the default User-Agent.
    headers = {"User-Agent": f"scoreboard/{__version__}", "Accept-Encoding": "identity"}
    # `download` has a time limit of its own.
    return httpx2.AsyncClient(verify=ssl.create_default_context(), headers=headers, timeout=None)
