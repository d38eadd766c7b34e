"""Where an address leads."""

from ipaddress import ip_address


def is_this_machine(host: str) -> bool:
    """Whether a host is the loopback: what is sent there is seen by nobody else, and what listens there by nobody."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
