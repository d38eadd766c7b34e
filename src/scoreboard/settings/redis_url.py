"""Parsing the address of Redis: one server, the seeds of a cluster, or Sentinels."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from scoreboard.settings.hosts import split_host_and_port

SERVER_PORT: Final = 6_379
SENTINEL_PORT: Final = 26_379

_SENTINEL: Final = "+sentinel"
_PARTS: Final = re.compile(
    r"(?P<scheme>[a-z+]+)://(?P<user>[^/?#]*@)?(?P<hosts>[^/?#@]*)(?P<path>/[^?#]*)?(?P<rest>.*)"
)


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
    """Parse `redis://user:password@host:port/db`, with several hosts separated by commas, `rediss://` and
    `unix://`.

    `redis+sentinel://host:port,…/service/db` names Sentinels; user and password are those of the Redis
    servers. Raises ValueError.
    """
    from redis.asyncio.connection import SSLConnection, parse_url

    parts = _PARTS.fullmatch(url)
    if parts is None:
        raise ValueError("not a URL")
    if parts["scheme"] == "unix":
        return RedisAddress((), is_tls=False, options=parse_url(url))
    is_sentinel = parts["scheme"].endswith(_SENTINEL)
    scheme, path, service = parts["scheme"].removesuffix(_SENTINEL), parts["path"] or "", None
    if is_sentinel:
        service, _, db = path.strip("/").partition("/")
        if not service or not (db.isdigit() or not db):
            raise ValueError("no service")
        path = f"/{db}"
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
