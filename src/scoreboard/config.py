"""The settings: SCOREBOARD_* in the environment or in `.env`. Nothing else reads the environment."""

from pathlib import Path
from typing import Annotated, Any, Final

import limits
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from scoreboard.errors import StartError
from scoreboard.model import RateLimit

PREFIX: Final = "SCOREBOARD_"

MIN_SECRET_BYTES: Final = 32
"""HS256 wants a key of at least the hash's size (RFC 7518, section 3.2)."""


MOST_OF_A_RATE: Final = 1_000_000_000
"""Submissions, or seconds (thirty years): far from where a database's integers end."""


def _sqlite_path(url: str) -> str:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ValueError("must be a URL such as sqlite:///scoreboard.db") from None
    if parsed.drivername != "sqlite" or parsed.host:
        raise ValueError("must begin with sqlite:/// in this version")
    if not parsed.database or parsed.database == ":memory:" or parsed.query:
        raise ValueError("must name a file, as sqlite:///scoreboard.db does")
    return url


def _rate(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    try:
        rates = limits.parse_many(text)
    except ValueError:
        rates = []
    if len(rates) != 1 or rates[0].amount < 1:
        raise ValueError("must be one rate such as 10/minute")
    if max(rates[0].amount, rates[0].get_expiry()) > MOST_OF_A_RATE:
        raise ValueError(f"must have no number beyond {MOST_OF_A_RATE:,}")
    return RateLimit(rates[0].amount, rates[0].get_expiry() * 1_000_000)


def _list(text: Any) -> Any:
    return tuple(part.strip() for part in text.split(",") if part.strip()) if isinstance(text, str) else text


def _origin(text: str) -> str:
    if text != "*" and (not text.startswith(("http://", "https://")) or text.rstrip("/").count("/") != 2):
        raise ValueError("must be origins such as https://game.example, separated by commas")
    return text.rstrip("/")


def _long_enough(secret: SecretStr | None) -> SecretStr | None:
    if secret is not None and len(secret.get_secret_value().encode()) < MIN_SECRET_BYTES:
        raise ValueError(f"must have at least {MIN_SECRET_BYTES} bytes")
    return secret


class Settings(BaseSettings):
    """Each field is the setting SCOREBOARD_<FIELD>; `.env.example` explains them."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    database_url: Annotated[str, AfterValidator(_sqlite_path)] = "sqlite:///scoreboard.db"
    jwt_secret: Annotated[SecretStr | None, AfterValidator(_long_enough)] = None
    rate_limit: Annotated[RateLimit, NoDecode, BeforeValidator(_rate)] = RateLimit(10, 60_000_000)
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8000
    catalog: Path | None = None
    cors_origins: Annotated[tuple[Annotated[str, AfterValidator(_origin)], ...], NoDecode, BeforeValidator(_list)] = ()
    drain_grace_seconds: Annotated[float, Field(ge=0, le=600)] = 0.0
    drain_seconds: Annotated[float, Field(ge=0, le=600)] = 5.0

    @property
    def database_path(self) -> Path:
        """The SQLite file."""
        return Path(make_url(self.database_url).database or "")


def read_settings(**given: Any) -> Settings:
    """The settings as they are now; `given` ones come before the environment.

    Raises StartError, which names the setting and what is wrong with it.
    """
    try:
        return Settings(**given)
    except ValidationError as error:
        mistake = error.errors(include_url=False, include_input=False, include_context=False)[0]
        name = PREFIX + str(mistake["loc"][0]).upper()
        raise StartError(f"{name}: {mistake['msg'].removeprefix('Value error, ')}.") from None
