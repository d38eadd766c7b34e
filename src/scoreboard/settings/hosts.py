"""Parsing and formatting of hosts and ports."""

from ipaddress import ip_address


def is_this_machine(host: str) -> bool:
    """Whether a host is the loopback: what is sent there is seen by nobody else, and what listens there by nobody."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def host_and_port(host: str, port: int) -> str:
    """Format host and port for a URL, an IPv6 address in brackets (RFC 3986, section 3.2.2)."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
