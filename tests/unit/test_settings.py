"""Settings: defaults, and errors that name the setting."""

import re
from pathlib import Path

import pytest
from redis.asyncio.connection import parse_url
from sqlalchemy.engine import make_url

from scoreboard.app import database_name
from scoreboard.domain.errors import StartError
from scoreboard.domain.rate_limit import RateLimit
from scoreboard.settings.config import read_settings

pytestmark = pytest.mark.usefixtures("folder")

INVALID = {
    "port is text": ("SCOREBOARD_PORT", "http"),
    "port too large": ("SCOREBOARD_PORT", "70000"),
    "port is a URL": ("SCOREBOARD_PORT", "http://10.96.12.7:8000"),
    "port with a protocol": ("SCOREBOARD_PORT", "8000/tcp"),
    "rate is text": ("SCOREBOARD_RATE_LIMIT", "often"),
    "rate of reads is text": ("SCOREBOARD_READ_RATE_LIMIT", "none"),
    "secret too short": ("SCOREBOARD_JWT_SECRET", "x" * 31),
    "database is not a URL": ("SCOREBOARD_DATABASE_URL", "scoreboard.db"),
    "database unknown": ("SCOREBOARD_DATABASE_URL", "mysql://localhost/scores"),
    "database with two slashes": ("SCOREBOARD_DATABASE_URL", "sqlite://data/x.db"),
    "database in memory": ("SCOREBOARD_DATABASE_URL", "sqlite:///:memory:"),
    "database nowhere": ("SCOREBOARD_DATABASE_URL", "sqlite://"),
    "database without a host": ("SCOREBOARD_DATABASE_URL", "postgresql:///scores"),
    "database with an invalid port": ("SCOREBOARD_DATABASE_URL", "postgresql://localhost:none/scores"),
    "database without a name": ("SCOREBOARD_DATABASE_URL", "postgresql://localhost"),
    "password with #": ("SCOREBOARD_DATABASE_URL", "postgresql://me:top#secret@db.example/scores"),
    "password with brackets": ("SCOREBOARD_DATABASE_URL", "postgresql://me:a[secret]c@db.example/scores"),
    "pool without a connection to write": ("SCOREBOARD_DATABASE_POOL_SIZE", "1"),
    "timeout of zero": ("SCOREBOARD_DATABASE_TIMEOUT_SECONDS", "0"),
    "redis is not a URL": ("SCOREBOARD_REDIS_URL", "localhost:6379"),
    "redis with an invalid port": ("SCOREBOARD_REDIS_URL", "redis://localhost:none/0"),
    "prefix with a brace": ("SCOREBOARD_REDIS_PREFIX", "a{b"),
    "origin without a scheme": ("SCOREBOARD_CORS_ORIGINS", "game.example"),
    "origin without a host": ("SCOREBOARD_CORS_ORIGINS", "https://"),
    "origin with an invalid port": ("SCOREBOARD_CORS_ORIGINS", "https://game.example:99999"),
    "origin with a user": ("SCOREBOARD_CORS_ORIGINS", "https://me@game.example"),
    "origin with a short IPv4 address": ("SCOREBOARD_CORS_ORIGINS", "http://127.1"),
    "origin with a hexadecimal address": ("SCOREBOARD_CORS_ORIGINS", "http://0x7f000001"),
    "origin of an opaque scheme": ("SCOREBOARD_CORS_ORIGINS", "data://game"),
    "origin with a zone": ("SCOREBOARD_CORS_ORIGINS", "http://[fe80::1%25eth0]"),
    "origin with a wildcard": ("SCOREBOARD_CORS_ORIGINS", "https://*.game.example"),
    "path without a slash": ("SCOREBOARD_ROOT_PATH", "scores"),
    "path with two slashes": ("SCOREBOARD_ROOT_PATH", "//scores"),
    "path with ..": ("SCOREBOARD_ROOT_PATH", "/a/../b"),
    "path is a URL": ("SCOREBOARD_ROOT_PATH", "https://game.example/scores"),
    "path with a query": ("SCOREBOARD_ROOT_PATH", "/scores?x"),
    "path with a space": ("SCOREBOARD_ROOT_PATH", "/my scores"),
    "path of the server": ("SCOREBOARD_ROOT_PATH", "/api"),
    "negative drain": ("SCOREBOARD_DRAIN_SECONDS", "-1"),
}


@pytest.mark.parametrize("name", ["jwt_secret", "origin_secret"])
def test_the_published_secret_of_development_is_refused_in_production(name: str) -> None:
    makefile = (Path(__file__).parents[2] / "Makefile").read_text()
    (published,) = re.findall(r"SCOREBOARD_JWT_SECRET:-(.*?)\}", makefile)
    assert read_settings(**{name: published}).env == "development"
    with pytest.raises(
        StartError, match=rf"^SCOREBOARD_{name.upper()}: must be your own secret in production"
    ):
        read_settings(env="production", **{name: published})


PASSWORD = "pa55word"

INVALID_KEY_SET_URLS = {
    "user and password": f"https://me:{PASSWORD}@login.example/keys.json",
    "a user only": f"https://{PASSWORD}@login.example/keys.json",
    "a password with a slash": f"https://me:1/{PASSWORD}@login.example/keys.json",
    "a password with a hash": f"https://me:{PASSWORD}#1@login.example/keys.json",
    "an invalid port": f"https://login.example:{PASSWORD}/keys.json",
    "a port too large": "https://login.example:65536/keys.json",
    "port 0": "https://login.example:0/keys.json",
    "no host": f"https:///{PASSWORD}",
    "an incomplete address": f"https://[::1/{PASSWORD}",
    "another scheme": f"file:///{PASSWORD}",
    "a space": f"https://login.example/keys.json?key={PASSWORD} ",
    "a letter outside ASCII": f"https://login.example/{PASSWORD}é",
}


@pytest.mark.parametrize("url", INVALID_KEY_SET_URLS.values(), ids=INVALID_KEY_SET_URLS.keys())
def test_an_invalid_url_of_a_key_set_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(StartError, match=r"^SCOREBOARD_JWT_JWKS_URL: must ") as refused:
        read_settings(jwt_jwks_url=url)
    assert PASSWORD not in str(refused.value)


@pytest.mark.parametrize("url", ["https://login.example:8443/keys.json?tenant=1", "http://[::1]:8080/keys"])
def test_the_url_of_a_key_set_may_have_a_port_and_a_query(url: str) -> None:
    assert read_settings(jwt_jwks_url=url).jwt_jwks_url == url


@pytest.mark.parametrize(("name", "value"), INVALID.values(), ids=INVALID.keys())
def test_an_invalid_setting_is_named_and_a_secret_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(StartError) as refused:
        read_settings()
    assert str(refused.value).startswith(f"{name}: ")
    assert name != "SCOREBOARD_JWT_SECRET" or value not in str(refused.value)


POSTGRESQL = "postgresql://me:a-secret@db.example/scores"
REDIS = "redis://:a-secret@cache.example:6379/0"
WHOLE = {"database_url": POSTGRESQL, "redis_url": REDIS, "jwt_secret": "x" * 32}


@pytest.mark.parametrize(
    ("given", "to_set"),
    [
        ({"database_url": POSTGRESQL}, "SCOREBOARD_REDIS_URL"),
        ({"redis_url": REDIS}, "SCOREBOARD_DATABASE_URL"),
        ({"database_url": POSTGRESQL, "redis_url": REDIS}, "SCOREBOARD_JWT_SECRET"),
        (
            {"database_url": POSTGRESQL, "database_read_url": "sqlite:///copy.db"},
            "SCOREBOARD_DATABASE_READ_URL",
        ),
        (WHOLE | {"database_password": "another"}, "SCOREBOARD_DATABASE_PASSWORD"),
        (WHOLE | {"redis_password": "another"}, "SCOREBOARD_REDIS_PASSWORD"),
    ],
)
def test_an_incomplete_deployment_is_refused_with_the_setting_to_change(
    given: dict[str, str], to_set: str
) -> None:
    with pytest.raises(StartError) as refused:
        read_settings(**given)
    assert str(refused.value).startswith(f"{to_set}: must ")
    assert "a-secret" not in str(refused.value)


def test_two_urls_and_a_secret_are_a_distributed_deployment() -> None:
    settings = read_settings(**WHOLE)
    assert settings.is_distributed
    assert database_name(settings) == "db.example:5432/scores"


def test_passwords_with_any_characters_may_have_their_own_settings() -> None:
    password = "p@ss:w/r#d?%41 é"
    settings = read_settings(
        database_url="postgresql://me@db.example/scores?sslmode=require",
        database_read_url="postgresql://me@replica.example:5433/scores",
        database_password=password,
        redis_url="rediss://cache.example:6379/1",
        redis_password=password,
        jwt_secret="x" * 32,
    )
    database, replica = make_url(settings.full_database_url), make_url(settings.full_replica_url or "")
    assert (database.username, database.password, database.host) == ("me", password, "db.example")
    assert dict(database.query) == {"sslmode": "require"}
    assert (replica.username, replica.password, replica.host, replica.port) == (
        "me",
        password,
        "replica.example",
        5433,
    )
    cache = parse_url(settings.full_redis_url or "")
    assert (cache["password"], cache["host"], cache["db"]) == (password, "cache.example", 1)
    assert cache["connection_class"].__name__ == "SSLConnection"
    assert password not in repr(settings)


@pytest.mark.parametrize("name", ["database_read_url", "database_password"])
def test_a_sqlite_file_has_no_replica_and_no_password(name: str) -> None:
    with pytest.raises(StartError, match=rf"^SCOREBOARD_{name.upper()}: must not be set "):
        read_settings(**{name: POSTGRESQL})


def test_the_defaults_are_valid() -> None:
    settings = read_settings()
    assert settings.database_path == Path("scoreboard.db")
    assert settings.rate_limit == RateLimit(10, 60_000_000)
    assert (settings.host, settings.port, settings.cors_origins) == ("127.0.0.1", 8000, ())


def test_off_is_no_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCOREBOARD_READ_RATE_LIMIT", "off")
    assert read_settings().read_rate_limit is None


def test_the_example_file_has_the_defaults(folder: Path) -> None:
    example = Path(__file__).parents[2] / ".env.example"
    defaults = read_settings()
    text = example.read_text()
    (folder / ".env").write_text("\n".join(re.findall(r"^# (SCOREBOARD_\w+=.*)$", text, re.MULTILINE)))
    assert read_settings() == defaults
    for name in type(defaults).model_fields:
        assert f"SCOREBOARD_{name.upper()}=" in text


def test_origins_are_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCOREBOARD_CORS_ORIGINS", "https://game.example, http://localhost:3000/")
    assert read_settings().cors_origins == ("https://game.example", "http://localhost:3000")


NEVER_SENT = {
    "https://game.example/play": "https://game.example",
    "https://game.example//": "https://game.example",
    "https://game.example?x": "https://game.example",
    "https://Game.Example": "https://game.example",
    "HTTPS://game.example": "https://game.example",
    "https://game.example:443": "https://game.example",
    "http://game.example:80": "http://game.example",
    "https://game.example:": "https://game.example",
    "http://game.example:08080": "http://game.example:8080",
    "wss://game.example": "https://game.example",
    "https://bücher.example": "https://xn--bcher-kva.example",
    "https://faß.example": "https://xn--fa-hia.example",
    "https://ｇame.example": "https://game.example",
    "http://[0:0::1]:3000": "http://[::1]:3000",
    "Capacitor://localhost": "capacitor://localhost",
    "capacitor://localhost/index.html": "capacitor://localhost",
}


@pytest.mark.parametrize(("origin", "right"), NEVER_SENT.items())
def test_an_origin_that_no_browser_sends_is_refused_with_the_correct_one(origin: str, right: str) -> None:
    with pytest.raises(StartError) as refused:
        read_settings(cors_origins=f"https://other.example,{origin}")
    assert str(refused.value) == (
        f"SCOREBOARD_CORS_ORIGINS: browsers never send {origin} as an origin: write {right}."
    )
    assert read_settings(cors_origins=right).cors_origins == (right,)


@pytest.mark.parametrize(
    ("given", "path"), {"": "", "/": "", "/scores": "/scores", "/a/b.c/": "/a/b.c"}.items()
)
def test_a_trailing_slash_of_the_root_path_is_removed(given: str, path: str) -> None:
    assert read_settings(root_path=given).root_path == path
