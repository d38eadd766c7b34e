"""The URL of Redis: servers, clusters and Sentinels, and options that work."""

import pytest

from scoreboard.domain.errors import StartError
from scoreboard.settings.config import read_settings
from scoreboard.settings.redis_url import parse_address
from tests.unit.test_settings import WHOLE

pytestmark = pytest.mark.usefixtures("folder")


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
