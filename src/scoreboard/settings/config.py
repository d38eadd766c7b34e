"""The settings: SCOREBOARD_* in the environment or in `.env`. Nothing else reads the environment."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit

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

from scoreboard.domain.boards import RateLimit
from scoreboard.domain.errors import StartError
from scoreboard.settings import connection_urls as partner_urls
from scoreboard.settings import environment, public_urls
from scoreboard.settings.connection_urls import POSTGRESQL, has_password, with_password
from scoreboard.settings.hosts import is_this_machine
from scoreboard.settings.rate_notation import parse_rate, parse_rate_or_off
from scoreboard.settings.redis_url import parse_address

PREFIX: Final = environment.PREFIX

MIN_SECRET_BYTES: Final = 32
"""HS256 wants a key of at least the hash's size (RFC 7518, section 3.2)."""


DEVELOPMENT_SECRET: Final = "for development alone, known to everybody"  # noqa: S105  # published
"""What `make dev-distributed` signs with: it stands in the Makefile, for all to read."""

Seconds = Annotated[float, Field(gt=0, le=3_600)]


def _list(text: Any) -> Any:
    return tuple(part.strip() for part in text.split(",") if part.strip()) if isinstance(text, str) else text


def _networks(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    try:
        return tuple(ip_network(part, strict=False) for part in _list(text))
    except ValueError:
        raise ValueError("must be addresses or networks such as 10.0.0.0/8, separated by commas") from None


def _jwks_url(url: str | None) -> str | None:
    if url is not None:
        # Errors of the fetching repeat what they stumble over: what may be a part of a password gets as far as here.
        if "@" in url:
            raise ValueError(
                "must have no user and no password: keys that verify tokens are public (elsewhere @ is %40)"
            )
        try:
            parts = urlsplit(url)
            is_url = (
                parts.scheme in {"https", "http"} and parts.port != 0 and url.isascii() and url.isprintable()
            )
        except ValueError:
            is_url = False
        if not is_url or not parts.hostname or " " in url:
            raise ValueError("must be a URL such as https://login.example/.well-known/jwks.json")
        if parts.scheme == "http" and not is_this_machine(parts.hostname):
            raise ValueError(
                "must begin with https://: who can change the keys on their way can sign any token"
            )
    return url


def _long_enough(secret: SecretStr | None) -> SecretStr | None:
    if secret is not None and len(secret.get_secret_value().encode()) < MIN_SECRET_BYTES:
        raise ValueError(f"must have at least {MIN_SECRET_BYTES} bytes")
    return secret


class Settings(BaseModel):
    """Each field is the setting `SCOREBOARD_<FIELD>`. Its docstring is its documentation (`tools/reference.py`)."""

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    database_url: Annotated[str, AfterValidator(partner_urls.database_url)] = "sqlite:///scoreboard.db"
    """The SQLite file (three slashes begin a relative path, four an absolute one), or PostgreSQL 15 or newer as
    `postgresql://user:password@host:5432/database`. PostgreSQL also needs a Redis URL and a secret."""
    database_read_url: Annotated[str | None, AfterValidator(partner_urls.replica_url)] = None
    """A replica of that PostgreSQL database, for fills, exports and the search for suspects."""
    database_password: SecretStr | None = None
    """The password of PostgreSQL, if it is not in the URL."""
    database_pool_size: Annotated[int, Field(ge=3, le=1_000)] = 5
    """Connections of an instance to PostgreSQL. Two of them write. One more checks that the server answers."""
    database_timeout_seconds: Seconds = 0.5
    """Time after which a silent PostgreSQL server counts as unavailable."""
    database_lock_timeout_seconds: Seconds = 5.0
    """How long to wait for other instances that write to the same board."""
    database_statement_timeout_seconds: Seconds = 30.0
    """Time limit of one statement."""
    redis_url: Annotated[str | None, AfterValidator(partner_urls.redis_url)] = None
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
    jwt_secret: Annotated[SecretStr | None, AfterValidator(_long_enough)] = None
    """The secret that signs tokens (HS256), at least 32 bytes. On SQLite, an instance without it creates one next to
    the database, in `<file>.secret`. Several instances need the same secret."""
    jwt_old_secrets: Annotated[
        tuple[Annotated[SecretStr, AfterValidator(_long_enough)], ...], BeforeValidator(_list)
    ] = ()
    """Previous secrets, separated by commas. They still verify tokens, but sign none."""
    jwt_public_keys: Annotated[tuple[Path, ...], BeforeValidator(_list)] = ()
    """PEM files with the public keys of the servers that sign tokens (RS256, ES256, EdDSA), separated by commas."""
    jwt_jwks_url: Annotated[str | None, AfterValidator(_jwks_url)] = None
    """The address of a key set (JWKS) with such keys."""
    jwt_algorithms: Annotated[
        tuple[Literal["HS256", "RS256", "ES256", "EdDSA"], ...], BeforeValidator(_list)
    ] = ()
    """The accepted algorithms, of HS256, RS256, ES256 and EdDSA. Empty: those of the configured keys."""
    jwt_issuer: str | None = None
    """The required issuer (`iss`) of tokens."""
    jwt_audience: Annotated[tuple[str, ...], BeforeValidator(_list)] = ()
    """The accepted audiences (`aud`), separated by commas. A token must name one of them."""
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
    """Reads and openings of streams of one address (IPv6: one /64), at each instance, such as `600/minute`."""
    env: Literal["development", "production"] = "development"
    """`production` refuses what is only safe for trying out: demo mode, `*` as a CORS origin, published secrets."""
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
        tuple[Annotated[str, AfterValidator(public_urls.cors_origin)], ...], BeforeValidator(_list)
    ] = ()
    """Other origins whose pages may send scores, separated by commas, such as `https://game.example` or
    `capacitor://localhost`. Any origin may read."""
    admin_host: str = "127.0.0.1"
    """The address of the administrators' port."""
    admin_port: Annotated[int | None, Field(ge=0, le=65_535)] = None
    """The port of `/admin` and `/api/admin`. Empty: not served."""
    admin_on_public_port: bool = False
    """Serve `/admin` and `/api/admin` on the public port, too."""
    origin_secret: Annotated[SecretStr | None, AfterValidator(_long_enough)] = None
    """The key for hashes of client addresses and for digests of idempotency keys and proofs, at least 32 bytes, the
    same at all instances. Empty: the secret that signs tokens."""
    metrics_host: str = "127.0.0.1"
    """The address of the metrics port."""
    metrics_port: Annotated[int | None, Field(ge=0, le=65_535)] = None
    """The port of `/metrics` for Prometheus. Empty: not served."""
    max_streams: Annotated[int | None, Field(ge=1, le=1_000_000)] = None
    """Open streams of an instance. Empty: as many as the limit of open files allows."""
    max_streams_per_address: Annotated[int | None, Field(ge=1, le=1_000_000)] = None
    """Open streams of one address (IPv6: one /64). Empty: no limit."""
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], BeforeValidator(_networks)] = ()
    """Proxies whose `X-Forwarded-For` is used: addresses or networks such as `10.0.0.0/8`, separated by commas."""
    drain_grace_seconds: Annotated[float, Field(ge=0, le=600)] = 0.0
    """On SIGTERM: the time to continue serving while `/health/ready` answers 503."""
    drain_seconds: Annotated[float, Field(ge=0, le=600)] = 5.0
    """On SIGTERM: the time over which the ends of open streams are spread."""

    @model_validator(mode="after")
    def _one_of_two_deployments(self) -> Self:
        if self.is_distributed and self.redis_url is None:
            raise ValueError("SCOREBOARD_REDIS_URL: must be set too, since many instances share one ranking")
        if not self.is_distributed and self.redis_url is not None:
            raise ValueError(
                "SCOREBOARD_DATABASE_URL: must be a postgresql:// URL where SCOREBOARD_REDIS_URL is set"
            )
        if not self.is_distributed and self.database_read_url is not None:
            raise ValueError(
                "SCOREBOARD_DATABASE_READ_URL: is of no use beside a SQLite file, which has no replica"
            )
        if self.is_distributed and self.jwt_secret is None and not self.has_public_keys:
            raise ValueError(
                "SCOREBOARD_JWT_SECRET: must be set, since all instances have to know the same secret"
            )
        return self

    @model_validator(mode="after")
    def _one_kind_of_redis(self) -> Self:
        if self.redis_url is not None:
            address = parse_address(self.redis_url)
            if self.redis_cluster and (address.service is not None or not address.hosts):
                raise ValueError(
                    "SCOREBOARD_REDIS_CLUSTER: must be false for Sentinels and for a Unix socket"
                )
            if len(address.hosts) > 1 and address.service is None and not self.redis_cluster:
                raise ValueError(
                    "SCOREBOARD_REDIS_URL: must name one server, unless SCOREBOARD_REDIS_CLUSTER is true "
                    "or it begins with redis+sentinel://"
                )
            if self.redis_sentinel_password is not None and address.service is None:
                raise ValueError("SCOREBOARD_REDIS_SENTINEL_PASSWORD: is of no use without redis+sentinel://")
        return self

    @model_validator(mode="after")
    def _one_place_for_a_password(self) -> Self:
        for name, password, urls in (
            ("DATABASE", self.database_password, (self.database_url, self.database_read_url)),
            ("REDIS", self.redis_password, (self.redis_url,)),
        ):
            if password is not None and any(url is not None and has_password(url) for url in urls):
                raise ValueError(
                    f"{PREFIX}{name}_PASSWORD: must not be set where the URL has a password already"
                )
        if self.database_password is not None and not self.is_distributed:
            raise ValueError("SCOREBOARD_DATABASE_PASSWORD: is of no use for a SQLite file")
        return self

    @model_validator(mode="after")
    def _fit_for_production(self) -> Self:
        if self.env == "production" and "*" in self.cors_origins:
            raise ValueError(
                "SCOREBOARD_CORS_ORIGINS: must name origins in production: * would let any page send scores"
            )
        # (It cannot be an old secret: those are a list, and its comma would part it.)
        for name, secret in (("JWT_SECRET", self.jwt_secret), ("ORIGIN_SECRET", self.origin_secret)):
            if self.env == "production" and secret == SecretStr(DEVELOPMENT_SECRET):
                raise ValueError(
                    f"{PREFIX}{name}: must be a secret of your own in production: the one for development is published"
                )
        return self

    @property
    def has_public_keys(self) -> bool:
        """Whether tokens are signed elsewhere, and verified here with public keys."""
        return bool(self.jwt_public_keys) or self.jwt_jwks_url is not None

    @model_validator(mode="after")
    def _a_key_for_each_certificate(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("SCOREBOARD_TLS_CERTIFICATE and SCOREBOARD_TLS_KEY: must be set together")
        return self

    @property
    def tls(self) -> tuple[Path, Path] | None:
        """Certificate chain and private key, both as PEM, where TLS ends here."""
        if self.tls_certificate is None or self.tls_key is None:
            return None
        return self.tls_certificate, self.tls_key

    @property
    def has_request_log(self) -> bool:
        """Whether each request gets a line in the log: in production, unless the setting says otherwise."""
        return self.env == "production" if self.request_log is None else self.request_log

    @property
    def has_admin_routes(self) -> bool:
        """Whether /api/admin is served at all."""
        return self.admin_port is not None or self.admin_on_public_port

    @property
    def is_distributed(self) -> bool:
        """Whether this is one of many instances, on PostgreSQL and Redis."""
        return self.database_url.startswith(POSTGRESQL)

    @property
    def full_database_url(self) -> str:
        """PostgreSQL's, with its password."""
        return with_password(self.database_url, self.database_password)

    @property
    def full_replica_url(self) -> str | None:
        """The replica's, with the same password."""
        return self.database_read_url and with_password(self.database_read_url, self.database_password)

    @property
    def full_redis_url(self) -> str | None:
        """Redis's, with its password."""
        return self.redis_url and with_password(self.redis_url, self.redis_password)

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
        # What is wrong between two settings has no place of its own, and names the one to set.
        name = f"{PREFIX}{mistake['loc'][0]!s}: ".upper() if mistake["loc"] else ""
        raise StartError(f"{name}{message}.") from None
