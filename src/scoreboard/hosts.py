"""Hosts and ports: where an address leads, and how it is written."""

from ipaddress import ip_address


def is_this_machine(host: str) -> bool:
    """Whether a host is the loopback: what is sent there is seen by nobody else, and what listens there by nobody."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def host_and_port(host: str, port: int) -> str:
    """Return both as a URL has them: an IPv6 address in brackets (RFC 3986, section 3.2.2)."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
