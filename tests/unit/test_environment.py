"""Settings in environment variables and in the file `.env`."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from scoreboard.domain.errors import StartError
from scoreboard.domain.rate_limit import RateLimit
from scoreboard.settings.config import read_settings

pytestmark = pytest.mark.usefixtures("folder")


def test_the_environment_takes_precedence_over_the_file(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    (folder / ".env").write_text("SCOREBOARD_PORT=9000\nSCOREBOARD_RATE_LIMIT=1000000/minute\nOTHER=1\n")
    monkeypatch.setenv("SCOREBOARD_PORT", "9001")
    settings = read_settings()
    assert settings.port == 9001
    assert settings.rate_limit == RateLimit(1_000_000, 60_000_000)


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
