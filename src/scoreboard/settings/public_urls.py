"""Validation of the root path and of the CORS origins."""

import re
import unicodedata
from ipaddress import IPv6Address, ip_address
from typing import Final
from urllib.parse import urlsplit

_ROOT_PATH: Final = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*")

OWN_PATHS: Final = (
    "/admin",
    "/api/admin",
    "/api/leaderboard",
    "/api/players",
    "/api/scores",
    "/demo",
    "/docs",
    "/health",
    "/openapi.json",
    "/static",
)
"""The first segments of the server's own paths. A root path that starts with one would be ambiguous."""


def root_path(text: str) -> str:
    """Return the path without a trailing slash. Raises ValueError."""
    path = text.rstrip("/")
    if not _ROOT_PATH.fullmatch(path):
        raise ValueError("must be a path such as /scores, of letters, digits and . _ ~ -")
    if path and any(f"{own}/".startswith(f"{path}/") or path.startswith(f"{own}/") for own in OWN_PATHS):
        raise ValueError(
            f"must not be {path}: the server has addresses of its own there. Use a path such as /scores"
        )
    return path


OPAQUE_ORIGINS: Final = frozenset({"null", "file://"})
"""Origins that pages of different authors share: sandboxed frames, and local files."""

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}

_WITHOUT_ORIGIN: Final = frozenset({"about", "blob", "data", "javascript"})
"""Schemes of pages without an origin."""

_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
"""The last label of a host that is an IPv4 address (WHATWG URL, section 3.5)."""

_ORIGIN: Final = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#\s]+)(?P<rest>.*)")


def cors_origin(text: str) -> str:
    """Return an origin as a browser sends it, without a trailing slash. Raises ValueError for other texts."""
    if text == "*" or text in OPAQUE_ORIGINS:
        return text
    match = _ORIGIN.fullmatch(text)
    if match is None or "@" in text or match["scheme"].lower() in _WITHOUT_ORIGIN:
        raise ValueError(
            "must be origins such as https://game.example or capacitor://localhost, separated by commas"
        )
    if "*" in text:
        raise ValueError(
            f"must name each origin: browsers never send {text}, and only * alone allows all origins"
        )
    scheme, authority = match["scheme"].lower(), match["authority"]
    scheme = {"ws": "http", "wss": "https"}.get(scheme, scheme)
    if scheme in _DEFAULT_PORTS:
        authority = _web_authority(scheme, text)
    right = f"{scheme}://{authority}"
    if text.removesuffix("/") != right:
        raise ValueError(f"browsers never send {text} as an origin: write {right}")
    return right


def _web_authority(scheme: str, text: str) -> str:
    """Return host and port as browsers write them (WHATWG URL, section 4.5). Raises ValueError."""
    try:
        parts = urlsplit(text)
        host, port = _web_host(parts.hostname or ""), parts.port
        if port == 0:
            raise ValueError(port)
    except ValueError:
        raise ValueError(
            f"must be origins such as https://game.example: {text} has no valid host or port"
        ) from None
    return host if port is None or port == _DEFAULT_PORTS[scheme] else f"{host}:{port}"


def _web_host(host: str) -> str:
    if "%" in host:
        raise ValueError(host)
    # Full-width letters and the like: browsers write plain ones.
    host = unicodedata.normalize("NFKC", host)
    if ":" in host or _NUMBER.fullmatch(host.rpartition(".")[2]):
        address = ip_address(host)
        return f"[{address}]" if isinstance(address, IPv6Address) else str(address)
    labels = [label if label.isascii() else f"xn--{_punycode(label)}" for label in host.split(".")]
    if not re.fullmatch(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?", ".".join(labels)):
        raise ValueError(host)
    return ".".join(labels)


def _punycode(label: str) -> str:
    """Encode a normalized label as browsers do (UTS 46, nontransitional). Unlike the codec `idna`, keep ß."""
    return label.encode("punycode").decode()
