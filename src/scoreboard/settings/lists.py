"""Parsing of settings that are lists: their parts are separated by commas."""

from ipaddress import ip_network
from typing import Any


def split_list(text: Any) -> Any:
    """Return the parts of a text, and any other value unchanged."""
    return tuple(part.strip() for part in text.split(",") if part.strip()) if isinstance(text, str) else text


def parse_networks(text: Any) -> Any:
    """Return the networks of a text, and any other value unchanged. Raises ValueError."""
    if not isinstance(text, str):
        return text
    try:
        return tuple(ip_network(part, strict=False) for part in split_list(text))
    except ValueError:
        raise ValueError("must be addresses or networks such as 10.0.0.0/8, separated by commas") from None
