"""The settings: `SCOREBOARD_*` in the environment or in `.env`. No other module reads the environment."""

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from sqlalchemy.engine import make_url

from scoreboard.domain.errors import StartError
from scoreboard.domain.rate_limit import RateLimit
from scoreboard.settings import connection_urls, consistency, environment, public_urls
from scoreboard.settings.lists import parse_networks, split_list
from scoreboard.settings.rate_notation import parse_rate, parse_rate_or_off

PREFIX: Final = environment.PREFIX

MIN_SECRET_BYTES: Final = 32
"""HS256 requires a key of at least the size of the hash (RFC 7518, section 3.2)."""

Seconds = Annotated[float, Field(gt=0, le=3_600)]


def _long_enough(secret: SecretStr) -> SecretStr:
    if len(secret.get_secret_value().encode()) < MIN_SECRET_BYTES:
        raise ValueError(f"must have at least {MIN_SECRET_BYTES} bytes")
    return secret


class Settings(BaseModel):
    """Each field is the setting `SCOREBOARD_<FIELD>`. `tools/reference.py` documents it by its docstring."""

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    database_url: Annotated[str, AfterValidator(connection_urls.database_url)] = "sqlite:///scoreboard.db"
    """The SQLite file (three slashes begin a relative path, four an absolute one), or PostgreSQL 15 or newer
    as `postgresql://user:password@host:5432/database`. PostgreSQL also needs a Redis URL and a secret."""
    database_read_url: Annotated[str, AfterValidator(connection_urls.replica_url)] | None = None
    """A replica of that PostgreSQL database, for fills, exports and the search for suspects."""
    database_password: SecretStr | None = None
    """The password of PostgreSQL, if it is not in the URL."""
    database_pool_size: Annotated[int, Field(ge=3, le=1_000)] = 5
    """Connections of an instance to PostgreSQL. Two of them write. One more checks the server."""
    database_timeout_seconds: Seconds = 0.5
    """Time after which a silent PostgreSQL server counts as unavailable."""
    database_lock_timeout_seconds: Seconds = 5.0
    """How long to wait for other instances that write to the same board."""
    database_statement_timeout_seconds: Seconds = 30.0
    """Time limit of one statement."""
    redis_url: Annotated[str, AfterValidator(connection_urls.redis_url)] | None = None
    """Redis 7 or newer, as `redis://:password@host:6379/0`, `rediss://…` with TLS, or with Sentinels
    `redis+sentinel://:password@host1:26379,host2:26379/mymaster/0`. Only together with PostgreSQL."""
    redis_password: SecretStr | None = None
    """The password of Redis, if it is not in the URL."""
    redis_sentinel_password: SecretStr | None = None
    """The password of the Sentinels themselves."""
    redis_cluster: bool = False
    """`true` for a Redis Cluster. The URL then names one or more nodes: `redis://host1:7000,host2:7001`."""
    redis_prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")] = "scoreboard"
    """The prefix of all keys. Two databases must not share a prefix on one Redis."""
    redis_pool_size: Annotated[int, Field(ge=2, le=1_000)] = 16
    """Connections of an instance to Redis; in a cluster, to each node."""
    redis_timeout_seconds: Seconds = 0.5
    """Time after which a silent Redis server counts as unavailable."""
    jwt_secret: Annotated[SecretStr, AfterValidator(_long_enough)] | None = None
    """The secret that signs tokens (HS256), at least 32 bytes. On SQLite, an instance without it creates one
    next to the database, in `<file>.secret`. Several instances need the same secret."""
    jwt_old_secrets: Annotated[
        tuple[Annotated[SecretStr, AfterValidator(_long_enough)], ...], BeforeValidator(split_list)
    ] = ()
    """Previous secrets, comma-separated. They still verify tokens, but sign none."""
    jwt_public_keys: Annotated[tuple[Path, ...], BeforeValidator(split_list)] = ()
    """PEM files with the public keys of servers that sign tokens (RS256, ES256, EdDSA), comma-separated."""
    jwt_jwks_url: Annotated[str, AfterValidator(connection_urls.key_set_url)] | None = None
    """The address of a key set (JWKS) with such keys."""
    jwt_algorithms: Annotated[
        tuple[Literal["HS256", "RS256", "ES256", "EdDSA"], ...], BeforeValidator(split_list)
    ] = ()
    """The accepted algorithms, of HS256, RS256, ES256 and EdDSA. Empty: those of the configured keys."""
    jwt_issuer: str | None = None
    """The required issuer (`iss`) of tokens."""
    jwt_audience: Annotated[tuple[str, ...], BeforeValidator(split_list)] = ()
    """The accepted audiences (`aud`), comma-separated. A token must name one of them."""
    jwt_type: str | None = None
    """The required type (`typ`) of tokens."""
    jwt_max_lifetime_seconds: Annotated[int, Field(ge=60, le=315_360_000)] = 2_592_000
    """The longest accepted lifetime of a token."""
    jwt_unscoped_may_score: bool = True
    """Accept a token without any scope for scores of its user."""
    require_auth_to_read: bool = False
    """Require a token to read boards and streams. The page `/` then shows no board."""
    rate_limit: Annotated[RateLimit, BeforeValidator(parse_rate)] = RateLimit(10, 60_000_000)
    """Score updates of one user, over all boards and instances: `N/second`, `N/minute`, `N/hour`, `N/day` or
    `N per 5 minutes`."""
    server_rate_limit: Annotated[RateLimit | None, BeforeValidator(parse_rate_or_off)] = RateLimit(
        60_000, 60_000_000
    )
    """Score updates of one trusted server, at each instance, or `off`."""
    read_rate_limit: Annotated[RateLimit | None, BeforeValidator(parse_rate_or_off)] = None
    """Reads and new streams of one address (IPv6: one /64), at each instance, such as `600/minute`."""
    env: Literal["development", "production"] = "development"
    """`production` refuses what is only safe for trying out: demo mode, `*` as a CORS origin, published
    secrets.
    """
    request_log: bool | None = None
    """Log each request. Empty: in production only."""
    host: str = "127.0.0.1"
    """The address to listen on. `0.0.0.0` is every address of the machine."""
    port: Annotated[int, Field(ge=0, le=65_535)] = 8000
    """The port to listen on."""
    tls_certificate: Path | None = None
    """The certificate chain (PEM), if this process terminates TLS."""
    tls_key: Path | None = None
    """The private key (PEM) of that certificate."""
    catalog: Path | None = None
    """The TOML file with boards and actions. Empty: the catalog that is shipped."""
    root_path: Annotated[str, AfterValidator(public_urls.root_path)] = ""
    """The path of the server's address, such as `/scores`, if a proxy serves it below one."""
    cors_origins: Annotated[
        tuple[Annotated[str, AfterValidator(public_urls.cors_origin)], ...], BeforeValidator(split_list)
    ] = ()
    """Other origins whose pages may send scores, comma-separated, such as `https://game.example` or
    `capacitor://localhost`. Any origin may read."""
    admin_host: str = "127.0.0.1"
    """The address of the administrators' port."""
    admin_port: Annotated[int | None, Field(ge=0, le=65_535)] = None
    """The port of `/admin` and `/api/admin`. Empty: not served."""
    admin_on_public_port: bool = False
    """Serve `/admin` and `/api/admin` on the public port, too."""
    origin_secret: Annotated[SecretStr, AfterValidator(_long_enough)] | None = None
    """The key for hashes of client addresses and for digests of idempotency keys and proofs, at least 32
    bytes, the same at all instances. Empty: the secret that signs tokens."""
    metrics_host: str = "127.0.0.1"
    """The address of the metrics port."""
    metrics_port: Annotated[int | None, Field(ge=0, le=65_535)] = None
    """The port of `/metrics` for Prometheus. Empty: not served."""
    max_streams: Annotated[int | None, Field(ge=1, le=1_000_000)] = None
    """Open streams of an instance. Empty: as many as the limit of open files allows."""
    max_streams_per_address: Annotated[int | None, Field(ge=1, le=1_000_000)] = None
    """Open streams of one address (IPv6: one /64). Empty: no limit."""
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], BeforeValidator(parse_networks)] = ()
    """Proxies whose `X-Forwarded-For` is used: addresses, networks such as `10.0.0.0/8`, comma-separated."""
    drain_grace_seconds: Annotated[float, Field(ge=0, le=600)] = 0.0
    """On SIGTERM: the time to continue serving while `/health/ready` answers 503."""
    drain_seconds: Annotated[float, Field(ge=0, le=600)] = 5.0
    """On SIGTERM: the time over which the ends of open streams are spread."""

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        consistency.check(self)
        return self

    @property
    def has_public_keys(self) -> bool:
        """True if other servers sign the tokens, and public keys verify them here."""
        return bool(self.jwt_public_keys) or self.jwt_jwks_url is not None

    @property
    def tls(self) -> tuple[Path, Path] | None:
        """The certificate chain and the private key, if this process terminates TLS."""
        if self.tls_certificate is None or self.tls_key is None:
            return None
        return self.tls_certificate, self.tls_key

    @property
    def has_request_log(self) -> bool:
        """True if each request is logged: in production, unless the setting says otherwise."""
        return self.env == "production" if self.request_log is None else self.request_log

    @property
    def has_admin_routes(self) -> bool:
        """True if one of the ports serves `/api/admin`."""
        return self.admin_port is not None or self.admin_on_public_port

    @property
    def is_distributed(self) -> bool:
        """True for one of many instances, on PostgreSQL and Redis."""
        return self.database_url.startswith(connection_urls.POSTGRESQL)

    @property
    def full_database_url(self) -> str:
        """The URL of PostgreSQL with the password."""
        return connection_urls.with_password(self.database_url, self.database_password)

    @property
    def full_replica_url(self) -> str | None:
        """The URL of the replica with the same password."""
        url = self.database_read_url
        return url and connection_urls.with_password(url, self.database_password)

    @property
    def full_redis_url(self) -> str | None:
        """The URL of Redis with the password."""
        return self.redis_url and connection_urls.with_password(self.redis_url, self.redis_password)

    @property
    def database_path(self) -> Path:
        """The SQLite file."""
        return Path(make_url(self.database_url).database or "")


def read_settings(**given: Any) -> Settings:
    """Load the settings. `given` ones take precedence over the environment, and that over `_env_file`.

    Raises StartError, which names the setting and what is wrong with it.
    """
    file = given.pop("_env_file", ".env")
    found = environment.settings(None if file is None else Path(file), Settings.model_fields)
    try:
        return Settings(**{**found, **given})
    except ValidationError as error:
        mistake = error.errors(include_url=False, include_input=False, include_context=False)[0]
        message = mistake["msg"].removeprefix("Value error, ")
        # An error between two settings has no location, and its message begins with the setting to change.
        name = f"{PREFIX}{mistake['loc'][0]!s}: ".upper() if mistake["loc"] else ""
        raise StartError(f"{name}{message}.") from None
