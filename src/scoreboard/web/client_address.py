"""Whose request it is, as far as an address tells: also behind proxies, and without believing everybody."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

from starlette.types import Scope

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

IPV6_PREFIX: Final = 64
"""What one customer is given at least: its addresses are as many as anybody likes (RFC 6177)."""


def client_address(scope: Scope, trusted: Sequence[Network]) -> str | None:
    """One name for all addresses of one client; None where there is none (a Unix socket).

    That is the address which has connected. Where it is a trusted proxy's, the rightmost hop of `X-Forwarded-For` that
    is not one counts: what lies left of it, anybody may have made up.
    """
    client = scope.get("client")
    address = _address(client[0]) if client else None
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
    """Those of all `X-Forwarded-For` headers, the nearest first; None for what is no address."""
    lines = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    for hop in reversed(b",".join(lines).split(b",")):
        yield _address(hop.decode("latin-1").strip())


@lru_cache(20_000)
def _address(text: str) -> Address | None:
    """Some proxies add a port: `192.0.2.1:4711`, `[2001:db8::1]:4711`."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
