"""Parsing the address of Redis: one server, the seeds of a cluster, or Sentinels."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl

from scoreboard.settings.hosts import split_host_and_port

SERVER_PORT: Final = 6_379
SENTINEL_PORT: Final = 26_379

_SENTINEL: Final = "+sentinel"
_PARTS: Final = re.compile(
    r"(?P<scheme>[a-z+]+)://(?P<user>[^/?#]*@)?(?P<hosts>[^/?#@]*)(?P<path>/[^?#]*)?(?P<rest>.*)"
)


_OPTIONS: Final = frozenset(
    {"client_name", "db", "health_check_interval", "password", "socket_keepalive", "username"}
)
_TLS_FILES: Final = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_TLS_OPTIONS: Final = frozenset(
    {*_TLS_FILES, "ssl_ca_path", "ssl_cert_reqs", "ssl_check_hostname", "ssl_ciphers", "ssl_password"}
)
_CERT_REQS: Final = ("none", "optional", "required")
_INSTEAD: Final = {
    "max_connections": "SCOREBOARD_REDIS_POOL_SIZE",
    "socket_connect_timeout": "SCOREBOARD_REDIS_TIMEOUT_SECONDS",
    "socket_timeout": "SCOREBOARD_REDIS_TIMEOUT_SECONDS",
    "timeout": "SCOREBOARD_REDIS_TIMEOUT_SECONDS",
}


class RedisOptionError(ValueError):
    """Raised for an option that cannot be used. The message names it."""


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """The servers of Redis, and the options of connections to them.

    `hosts` are Sentinels if `service`, the name of their primary, is set. They are empty for a Unix socket.
    `options` are those of redis-py, such as `username`, `password`, `db` and `path`.
    """

    hosts: tuple[tuple[str, int], ...]
    is_tls: bool
    service: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)


def parse_address(url: str) -> RedisAddress:
    """Parse `redis://user:password@host:port/db`, also with several hosts; `rediss://` and `unix://`.

    `redis+sentinel://host:port,…/service/db` names Sentinels; user and password are those of the Redis
    servers. Raises ValueError, or RedisOptionError for an option after the `?`.
    """
    from redis.asyncio.connection import SSLConnection, parse_url

    parts = _PARTS.fullmatch(url)
    if parts is None:
        raise ValueError("not a URL")
    _check_options(parts["rest"], is_tls=parts["scheme"].startswith("rediss"))
    if parts["scheme"] == "unix":
        return RedisAddress((), is_tls=False, options=parse_url(url))
    is_sentinel = parts["scheme"].endswith(_SENTINEL)
    scheme, path, service = parts["scheme"].removesuffix(_SENTINEL), parts["path"] or "", None
    if is_sentinel:
        service, _, db = path.strip("/").partition("/")
        if not service:
            raise ValueError("no service")
        path = f"/{db}"
    if not re.fullmatch(r"(/[0-9]*)?", path):
        # redis-py would use the database 0.
        raise ValueError("not the number of a database")
    names = parts["hosts"].split(",")
    if len(names) > 1 and "" in names:
        raise ValueError("an empty host")
    hosts = tuple(
        # Without a host, redis-py connects to this machine.
        split_host_and_port(text or "localhost", SENTINEL_PORT if is_sentinel else SERVER_PORT)
        for text in names
    )
    options: dict[str, Any] = dict(parse_url(f"{scheme}://{parts['user'] or ''}host{path}{parts['rest']}"))
    is_tls = options.pop("connection_class", None) is SSLConnection
    for name in ("host", "port"):
        options.pop(name, None)
    return RedisAddress(hosts, is_tls, service, options)


def _check_options(query: str, *, is_tls: bool) -> None:
    """Raise RedisOptionError: redis-py would fail later, at the first connection, or return other types."""
    for name, value in parse_qsl(query.removeprefix("?"), keep_blank_values=True):
        if name in _TLS_OPTIONS and not is_tls:
            raise RedisOptionError(f"has the option {name}, which needs TLS: begin with rediss://")
        if name not in _OPTIONS | _TLS_OPTIONS:
            instead = f"set {_INSTEAD[name]}" if name in _INSTEAD else "remove it"
            raise RedisOptionError(f"has the option “{name}”, which is not supported: {instead}")
        if name == "ssl_cert_reqs" and value not in _CERT_REQS:
            raise RedisOptionError(f"has the option {name}, which must be {' or '.join(_CERT_REQS)}")
        if name in _TLS_FILES and not Path(value).is_file():
            raise RedisOptionError(f"has the option {name}, which names no file")
