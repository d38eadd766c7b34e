"""The address of the client that sent a request, also behind proxies."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

from starlette.types import Scope

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

IPV6_PREFIX: Final = 64
"""The smallest network that one customer gets (RFC 6177). A client can use any address of its network."""


def client_address(scope: Scope, trusted: Sequence[Network]) -> str | None:
    """Return the client's address, or its network for IPv6. None for a Unix socket.

    It is the address of the connection. If that is a trusted proxy, it is the rightmost hop of
    `X-Forwarded-For` that is not a trusted proxy: the client itself can have sent all hops to the left of it.
    """
    client = scope.get("client")
    address = _parse(client[0]) if client else None
    if address is None:
        return None
    if _is_trusted(address, trusted):
        for hop in _hops(scope):
            if hop is None:
                break
            address = hop
            if not _is_trusted(hop, trusted):
                break
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, IPV6_PREFIX), strict=False))
    return str(address)


def _is_trusted(address: Address, trusted: Sequence[Network]) -> bool:
    return any(address in network for network in trusted)


def _hops(scope: Scope) -> Iterator[Address | None]:
    """Yield the hops of all `X-Forwarded-For` headers, the nearest first. None for an invalid hop."""
    lines = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    for hop in reversed(b",".join(lines).split(b",")):
        yield _parse(hop.decode("latin-1").strip())


@lru_cache(20_000)
def _parse(text: str) -> Address | None:
    """Parse an address. Some proxies add a port: `192.0.2.1:4711`, `[2001:db8::1]:4711`."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
