"""Parsing the URL of a PostgreSQL database: hosts, and the connection options of libpq.

Each option is either supported or refused by name. https://www.postgresql.org/docs/current/libpq-connect.html
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from scoreboard.settings.hosts import host_and_port, parse_port, split_host_and_port

DEFAULT_PORT: Final = 5432

MAX_CONNECT_SECONDS: Final = 600


class Role(StrEnum):
    """The role that a server of a replicated database must have."""

    PRIMARY = "primary"
    STANDBY = "standby"
    PREFER_STANDBY = "prefer-standby"
    ANY = "any"


ROLES: Final = {
    "any": Role.ANY,
    "primary": Role.PRIMARY,
    "read-write": Role.PRIMARY,
    "standby": Role.STANDBY,
    "read-only": Role.STANDBY,
    "prefer-standby": Role.PREFER_STANDBY,
}
"""The values of `target_session_attrs`."""


@dataclass(frozen=True, slots=True)
class Host:
    """A host or the folder of a Unix socket, and the port."""

    name: str
    port: int

    def __str__(self) -> str:
        return host_and_port(self.name, self.port)


@dataclass(frozen=True, slots=True)
class Address:
    """The parsed URL. `dsn` is for asyncpg and has no host; `settings` are parameters of the session."""

    hosts: tuple[Host, ...]
    database: str
    dsn: str
    role: Role
    connect_seconds: float | None
    settings: Mapping[str, str]

    def __str__(self) -> str:
        """Return the address without user and password."""
        return f"{','.join(map(str, self.hosts))}/{self.database}"


def _any(_: str) -> str | None:
    return None


def _one_of(*values: str, instead: str = "") -> Callable[[str], str | None]:
    ending = f": {instead}" if instead else ""
    return lambda value: None if value in values else f"must be {' or '.join(values)}{ending}"


def _file(value: str) -> str | None:
    if value == "system":
        return "must name a file, such as /etc/ssl/certs/ca-certificates.crt"
    try:
        Path(value).open("rb").close()
    except OSError as error:
        return f"names a file that cannot be read ({error.strerror})"
    return None


def _private_file(value: str) -> str | None:
    wrong = _file(value)
    if wrong is None and Path(value).stat().st_mode & 0o077:
        return f"names a file that other users may read: chmod 600 {value}"
    return wrong


def _seconds(value: str) -> str | None:
    is_good = value.isascii() and value.isdecimal() and 1 <= int(value) <= MAX_CONNECT_SECONDS
    return None if is_good else f"must be a number of seconds from 1 to {MAX_CONNECT_SECONDS}"


def _refusal(instead: str) -> Callable[[str], str | None]:
    return lambda _: f"is not supported: {instead}"


_SILENCE: Final = "remove it, since SCOREBOARD_DATABASE_TIMEOUT_SECONDS limits the wait for a silent server"
_POOLER: Final = "remove it, since a pooler such as pgbouncer is detected"

ASYNCPG_OPTIONS: Final[Mapping[str, Callable[[str], str | None]]] = {
    "user": _any,
    "dbname": _any,
    "passfile": _private_file,
    "sslmode": _one_of("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    "sslrootcert": _file,
    "sslcert": _file,
    "sslkey": _private_file,
    "sslpassword": _any,
    "sslcrl": _file,
    "sslnegotiation": _one_of("postgres", "direct"),
    "ssl_min_protocol_version": _one_of("TLSv1.2", "TLSv1.3"),
    "ssl_max_protocol_version": _one_of("TLSv1.2", "TLSv1.3"),
    "krbsrvname": _any,
    "gsslib": _one_of("gssapi", "sspi"),
}
"""Options that asyncpg implements."""

SESSION_OPTIONS: Final = {"application_name": _any, "fallback_application_name": _any, "options": _any}
"""Options that are sent to the server."""

OWN_OPTIONS: Final[Mapping[str, Callable[[str], str | None]]] = {
    "host": _any,
    "port": _any,
    "target_session_attrs": _one_of(*ROLES),
    "connect_timeout": _seconds,
}
"""Options that this program implements."""

IGNORED_OPTIONS: Final[Mapping[str, Callable[[str], str | None]]] = {
    "channel_binding": _one_of(
        "disable",
        "prefer",
        instead="set sslmode=verify-full with sslrootcert, which verifies the server's identity",
    ),
    "gssencmode": _one_of("disable", "prefer", instead="encrypt with sslmode"),
    "client_encoding": _one_of("utf8", "UTF8", "auto"),
    "sslcompression": _one_of("0"),
    "sslsni": _one_of("1"),
    "load_balance_hosts": _one_of("disable"),
}
"""Options with the values that need no action."""

REFUSED: Final[Mapping[str, Callable[[str], str | None]]] = {
    "password": _refusal("set SCOREBOARD_DATABASE_PASSWORD, or write user:password@host"),
    "hostaddr": _refusal("name the address as the host"),
    "keepalives": _refusal(_SILENCE),
    "keepalives_idle": _refusal(_SILENCE),
    "keepalives_interval": _refusal(_SILENCE),
    "keepalives_count": _refusal(_SILENCE),
    "tcp_user_timeout": _refusal(_SILENCE),
    "service": _refusal("write the service's settings into the URL"),
    "servicefile": _refusal("write the service's settings into the URL"),
    "require_auth": _refusal("require it in the server's pg_hba.conf"),
    "requirepeer": _refusal("use a TCP host with sslmode=verify-full"),
    "requiressl": _refusal("set sslmode=require"),
    "ssl": _refusal("set sslmode"),
    "sslcrldir": _refusal("set sslcrl"),
    "sslcertmode": _refusal("set sslcert, or remove it"),
    "replication": _refusal("remove it"),
    "pgbouncer": _refusal(_POOLER),
    "statement_cache_size": _refusal(_POOLER),
    "prepared_statement_cache_size": _refusal(_POOLER),
}

OPTIONS: Final = {**ASYNCPG_OPTIONS, **SESSION_OPTIONS, **OWN_OPTIONS, **IGNORED_OPTIONS, **REFUSED}


def parse_address(url: str, *, is_replica: bool = False) -> Address:
    """Raise ValueError, with a remedy, if the URL asks for an unsupported connection."""
    user_info = url.partition("://")[2].rpartition("@")[0]
    # Parsers differ on these characters: part of a password could be taken for something else.
    if set("#?/[]") & set(user_info):
        raise ValueError("must have # ? / [ ] in user and password percent-encoded, as %23 %3F %2F %5B %5D")
    parts = urlsplit(url)
    if parts.fragment:
        raise ValueError("must not have a # (in an option it is %23)")
    options = _options(parts.query)
    database = unquote(parts.path.removeprefix("/")) or options.get("dbname", "")
    hosts = _hosts(parts.netloc.rpartition("@")[2], options)
    if not hosts or not database:
        raise ValueError("must name a host and a database, as postgresql://user:password@host/database does")
    passed_on = "&".join(
        f"{name}={quote(value, safe='')}" for name, value in options.items() if name in ASYNCPG_OPTIONS
    )
    settings = {name: options[name] for name in ("application_name", "options") if name in options}
    if "fallback_application_name" in options:
        settings.setdefault("application_name", options["fallback_application_name"])
    seconds = options.get("connect_timeout")
    return Address(
        hosts=hosts,
        database=database,
        dsn=f"postgresql://{user_info}@{parts.path}?{passed_on}".rstrip("?"),
        role=_role(options.get("target_session_attrs", "any"), is_replica),
        connect_seconds=None if seconds is None else float(seconds),
        settings=settings,
    )


def _role(wanted: str, is_replica: bool) -> Role:
    role = ROLES[wanted]
    if is_replica:
        return role
    if role not in {Role.ANY, Role.PRIMARY}:
        raise ValueError(
            f"must not have target_session_attrs={wanted}: scores are written here. "
            "Set SCOREBOARD_DATABASE_READ_URL for a replica"
        )
    return Role.PRIMARY


def _options(query: str) -> Mapping[str, str]:
    options: dict[str, str] = {}
    for part in filter(None, query.split("&")):
        name, _, value = (unquote(text) for text in part.partition("="))
        if name not in OPTIONS:
            raise ValueError(
                f"has the option “{name}”, which is not known: remove it. "
                "A setting of the session is written as options=-c%20name%3Dvalue"
            )
        if name in options or not value:
            raise ValueError(f"has the option {name} {'twice' if name in options else 'without a value'}")
        if wrong := OPTIONS[name](value):
            raise ValueError(f"has the option {name}, which {wrong}")
        options[name] = value
    return options


def _hosts(named: str, options: Mapping[str, str]) -> tuple[Host, ...]:
    if named and "host" in options:
        raise ValueError("names a host twice: before the path, and as the option host")
    listed = [host for host in (named or options.get("host", "")).split(",") if host]
    ports = [parse_port(port) for port in options.get("port", str(DEFAULT_PORT)).split(",")]
    if len(ports) not in {1, len(listed)} and listed:
        raise ValueError("must have one port in the option port, or one for each host")
    defaults = ports if len(ports) == len(listed) else ports * len(listed)
    return tuple(map(_host, listed, defaults))


def _host(text: str, default_port: int) -> Host:
    if text.startswith("/"):  # The folder of a Unix socket.
        return Host(text, default_port)
    name, port = split_host_and_port(text, default_port)
    return Host(unquote(name), port)
