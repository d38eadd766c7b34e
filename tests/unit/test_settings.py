"""Settings from the environment and from `.env`: parsing, checks, and the secret file."""

import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from redis.asyncio.connection import parse_url
from sqlalchemy.engine import make_url
from structlog.testing import capture_logs

from scoreboard.app import database_name
from scoreboard.domain.errors import StartError
from scoreboard.domain.rate_limit import RateLimit
from scoreboard.settings.config import Settings, read_settings
from scoreboard.settings.redis_url import parse_address
from scoreboard.settings.signing_secret import load_secret, secret_path

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


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The working directory, which has no `.env` if the test creates none."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


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


@pytest.mark.parametrize(
    ("url", "hosts", "service"),
    [
        ("redis://:x@[::1]:7000/1", (("::1", 7000),), None),
        (
            "redis+sentinel://one.example,two.example:7001/my-master/1",
            (("one.example", 26379), ("two.example", 7001)),
            "my-master",
        ),
        (
            "rediss+sentinel://:x@one.example/my-master/1?ssl_cert_reqs=none",
            (("one.example", 26379),),
            "my-master",
        ),
    ],
)
def test_the_url_of_redis_names_a_server_or_sentinels(
    url: str, hosts: tuple[tuple[str, int], ...], service: str | None
) -> None:
    address = parse_address(read_settings(**WHOLE | {"redis_url": url}).full_redis_url or "")
    assert (address.hosts, address.service, address.options["db"]) == (hosts, service, 1)
    assert address.is_tls == url.startswith("rediss")


def test_the_url_of_a_cluster_may_name_several_nodes() -> None:
    given = WHOLE | {
        "redis_url": "redis://a.example:7000,b.example:7001",
        "redis_password": "x,@/",
        "redis_cluster": "true",
    }
    address = parse_address(read_settings(**given).full_redis_url or "")
    assert address.hosts == (("a.example", 7000), ("b.example", 7001))
    assert address.options == {"password": "x,@/"}


@pytest.mark.parametrize(
    ("url", "is_cluster", "name"),
    [
        ("redis://a.example,b.example", "false", "REDIS_URL"),
        ("redis://a.example,,b.example", "true", "REDIS_URL"),
        ("redis://a.example:70000", "false", "REDIS_URL"),
        ("redis://a.example/main", "false", "REDIS_URL"),
        ("redis://a.example/-1", "false", "REDIS_URL"),
        ("redis+sentinel://a.example", "false", "REDIS_URL"),
        ("redis+sentinel://a.example/mymaster/zero", "false", "REDIS_URL"),
        ("http://a.example", "false", "REDIS_URL"),
        ("redis+sentinel://a.example/mymaster", "true", "REDIS_CLUSTER"),
        ("unix:///run/redis.sock", "true", "REDIS_CLUSTER"),
    ],
)
def test_an_invalid_url_of_redis_is_refused(url: str, is_cluster: str, name: str) -> None:
    with pytest.raises(StartError, match=f"^SCOREBOARD_{name}: must "):
        read_settings(**WHOLE | {"redis_url": url, "redis_cluster": is_cluster})


@pytest.mark.parametrize(
    ("options", "mistake"),
    [
        ("decode_responses=true", r"“decode_responses”, which is not supported: remove it"),
        ("credential_provider=x", r"“credential_provider”, which is not supported"),
        ("no_such_option=1", r"“no_such_option”, which is not supported"),
        ("host=b.example", r"“host”, which is not supported"),
        ("max_connections=3", r"“max_connections”, .* set SCOREBOARD_REDIS_POOL_SIZE"),
        ("db=1&socket_timeout=5", r"“socket_timeout”, .* set SCOREBOARD_REDIS_TIMEOUT_SECONDS"),
        ("ssl_cert_reqs=none", r"ssl_cert_reqs, which needs TLS: begin with rediss://"),
    ],
)
@pytest.mark.parametrize(
    "url", ["redis://a.example", "redis+sentinel://a.example/x", "unix:///run/redis.sock"]
)
def test_an_option_of_redis_that_cannot_work_is_refused_by_name(url: str, options: str, mistake: str) -> None:
    with pytest.raises(StartError, match=f"^SCOREBOARD_REDIS_URL: has the option {mistake}"):
        read_settings(_env_file=None, **WHOLE | {"redis_url": f"{url}?{options}"})


@pytest.mark.parametrize("option", ["ssl_cert_reqs=never", "ssl_ca_certs=/no/such/file"])
def test_an_unusable_option_of_tls_is_refused(option: str) -> None:
    with pytest.raises(StartError, match=r"^SCOREBOARD_REDIS_URL: has the option ssl_"):
        read_settings(_env_file=None, **WHOLE | {"redis_url": f"rediss://a.example?{option}"})


def test_options_of_redis_are_passed_on() -> None:
    url = f"rediss://a.example/2?client_name=board&health_check_interval=30&ssl_ca_certs={__file__}"
    address = parse_address(read_settings(_env_file=None, **WHOLE | {"redis_url": url}).full_redis_url or "")
    assert address.options == {
        "db": 2,
        "client_name": "board",
        "health_check_interval": 30,
        "ssl_ca_certs": __file__,
    }


def test_a_password_of_sentinels_is_refused_without_sentinels() -> None:
    with pytest.raises(StartError, match=r"^SCOREBOARD_REDIS_SENTINEL_PASSWORD: must not be set"):
        read_settings(**WHOLE, redis_sentinel_password="x")


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


def test_the_environment_takes_precedence_over_the_file(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    (folder / ".env").write_text("SCOREBOARD_PORT=9000\nSCOREBOARD_RATE_LIMIT=1000000/minute\nOTHER=1\n")
    monkeypatch.setenv("SCOREBOARD_PORT", "9001")
    settings = read_settings()
    assert settings.port == 9001
    assert settings.rate_limit == RateLimit(1_000_000, 60_000_000)


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


@pytest.fixture
def settings(folder: Path) -> Settings:
    return read_settings(database_url=f"sqlite:///{folder / 'a.db'}")


def test_a_missing_secret_is_created_once_and_only_its_owner_can_read_it(settings: Settings) -> None:
    first = load_secret(settings)
    assert len(first) >= 32
    assert load_secret(settings) == first
    assert secret_path(settings).stat().st_mode & 0o777 == 0o600
    assert load_secret(read_settings(database_url="sqlite:///b.db")) != first


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_secret_that_other_users_can_read_is_refused(settings: Settings, mode: int) -> None:
    load_secret(settings)
    secret_path(settings).chmod(mode)
    with pytest.raises(StartError, match="chmod 600"):
        load_secret(settings)


def test_a_secret_of_another_user_is_refused(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    load_secret(settings)
    # Root can change the owner. Other users pretend to be another one.
    if os.geteuid() == 0:
        os.chown(secret_path(settings), 65_534, -1)
    else:
        another = os.geteuid() + 1
        monkeypatch.setattr("os.geteuid", lambda: another)
    with pytest.raises(StartError, match="belongs to another user"):
        load_secret(settings)


def test_a_short_secret_is_refused(settings: Settings) -> None:
    secret_path(settings).touch(0o600)
    with pytest.raises(StartError, match="fewer than 32 bytes"):
        load_secret(settings)


def test_a_secret_that_cannot_be_created_is_an_error() -> None:
    with pytest.raises(StartError, match="cannot be read or created"):
        load_secret(read_settings(database_url="sqlite:///none/a.db"))


def test_processes_that_start_at_the_same_time_use_one_secret(settings: Settings, folder: Path) -> None:
    with ThreadPoolExecutor(8) as executor:
        assert len(set(executor.map(lambda _: load_secret(settings), range(32)))) == 1
    assert [path.name for path in folder.iterdir()] == ["a.db.secret"]


SERVICE_VARIABLES = {
    "SCOREBOARD_PORT": "tcp://10.96.12.7:8000",
    "SCOREBOARD_SERVICE_HOST": "10.96.12.7",
    "SCOREBOARD_SERVICE_PORT": "8000",
    "SCOREBOARD_SERVICE_PORT_HTTP": "8000",
    "SCOREBOARD_PORT_8000_TCP": "tcp://10.96.12.7:8000",
    "SCOREBOARD_PORT_8000_TCP_PROTO": "tcp",
    "SCOREBOARD_PORT_8000_TCP_PORT": "8000",
    "SCOREBOARD_PORT_8000_TCP_ADDR": "10.96.12.7",
    # Of services named scoreboard-metrics, scoreboard-admin and scoreboard-redis.
    "SCOREBOARD_METRICS_PORT": "tcp://10.96.12.8:9000",
    "SCOREBOARD_ADMIN_PORT": "udp://[fd00::7]:9001",
    "SCOREBOARD_REDIS_PORT": "tcp://10.96.12.9:6379",
    "SCOREBOARD_REDIS_SERVICE_HOST": "10.96.12.9",
    # Of Docker's links.
    "SCOREBOARD_NAME": "/web/scoreboard",
    "SCOREBOARD_ENV_PATH": "/usr/bin",
}


def test_variables_that_kubernetes_and_docker_set_are_ignored(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    (folder / ".env").write_text("SCOREBOARD_PORT=9000\n")
    for name, value in SERVICE_VARIABLES.items():
        monkeypatch.setenv(name, value)
    with capture_logs() as logs:
        settings = read_settings()
    assert (settings.port, settings.admin_port, settings.metrics_port, settings.env) == (
        9000,
        None,
        None,
        "development",
    )
    assert [line["event"].split()[0] for line in logs] == ["ignored"]


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("SCOREBOARD_RATE_LIMITS", "SCOREBOARD_RATE_LIMIT"),
        ("SCOREBOARD_REDIS_SENTINAL_PASSWORD", "SCOREBOARD_REDIS_SENTINEL_PASSWORD"),
        ("scoreboard_databse_url", "SCOREBOARD_DATABASE_URL"),
        ("SCOREBOARD_ANYTHING_ELSE", None),
        ("SCOREBOARD_DATABASE_NAME", "SCOREBOARD_DATABASE_URL"),
        ("SCOREBORD_DATABASE_URL", "SCOREBOARD_DATABASE_URL"),
        ("SCORE_BOARD_PORT", "SCOREBOARD_PORT"),
        ("SOCREBOARD_RATE_LIMIT", "SCOREBOARD_RATE_LIMIT"),
    ],
)
@pytest.mark.parametrize("place", ["environment", "file"])
def test_a_misspelt_setting_is_logged_with_a_suggestion(
    monkeypatch: pytest.MonkeyPatch, folder: Path, place: str, wrong: str, meant: str | None
) -> None:
    if place == "file":
        (folder / ".env").write_text(f"{wrong}=a-secret\n")
    else:
        monkeypatch.setenv(wrong, "a-secret")
    # These variables are not settings of the server.
    monkeypatch.setenv("SCOREBOARD_TOKEN", "x")
    monkeypatch.setenv("SCOREBOARD_TEST_SERVERS", "x")
    monkeypatch.setenv("SCOREBOARDS_OTHER_PROGRAM", "${x}")
    monkeypatch.setenv("SKATEBOARD_PORT", "x")
    with capture_logs() as logs:
        read_settings()
    assert [(line["variable"], line.get("did_you_mean")) for line in logs] == [(wrong.upper(), meant)]
    assert "a-secret" not in str(logs)


def test_variables_in_the_file_are_not_expanded(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("HOME", "/root")
    secret = "a ${HOME} ${NOTHING:-x} $$ %41 of at least 32 bytes"
    (folder / ".env").write_text(f"SCOREBOARD_JWT_SECRET='{secret}'\n")
    with capture_logs() as logs:
        settings = read_settings()
    assert settings.jwt_secret is not None
    assert settings.jwt_secret.get_secret_value() == secret
    assert [line["settings"] for line in logs] == [["SCOREBOARD_JWT_SECRET"]]
    assert secret not in str(logs)


def test_a_byte_order_mark_in_the_file_is_ignored(folder: Path) -> None:
    (folder / ".env").write_text("SCOREBOARD_PORT=9000\n", encoding="utf-8-sig")
    assert read_settings().port == 9000


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_a_file_that_is_not_utf8_is_an_error(folder: Path, encoding: str) -> None:
    (folder / ".env").write_text("SCOREBOARD_JWT_ISSUER=münchen\n", encoding=encoding)
    with pytest.raises(StartError, match=r"^The file \.env is not UTF-8"):
        read_settings()
