"""The options of a database's URL: each works, or is refused by name before the server starts."""

from pathlib import Path

import pytest

from scoreboard.domain.errors import StartError
from scoreboard.settings.config import Settings, read_settings

REFUSED = {
    "channel_binding=require": "channel_binding",
    "gssencmode=require": "gssencmode",
    "target_session_attrs=standby": "SCOREBOARD_DATABASE_READ_URL",
    "target_session_attrs=read-only": "SCOREBOARD_DATABASE_READ_URL",
    "target_session_attrs=writable": "target_session_attrs",
    "connect_timeout=0": "connect_timeout",
    "connect_timeout=soon": "connect_timeout",
    "connect_timeout=": "connect_timeout",
    "connect_timeout=2&connect_timeout=3": "connect_timeout twice",
    "sslmode=maybe": "sslmode",
    "sslrootcert=/nowhere/root.pem": "sslrootcert",
    "sslrootcert=system": "ca-certificates",
    "passfile=/nowhere/passwords": "passfile",
    "keepalives_idle=30": "keepalives_idle.*SCOREBOARD_DATABASE_TIMEOUT_SECONDS",
    "tcp_user_timeout=3000": "tcp_user_timeout",
    "hostaddr=10.0.0.1": "hostaddr",
    "host=other.example": "twice",
    "port=0": "port",
    "port=1,2": "port",
    "service=scores": "service",
    "password=secret": "SCOREBOARD_DATABASE_PASSWORD",
    "ssl=true": "sslmode",
    "pgbouncer=true": "pgbouncer",
    "search_path=scores": "search_path.*options=-c",
    "statement_timeout=5": "statement_timeout.*options=-c",
    "nonsense": "nonsense",
}


def read(**urls: str) -> Settings:
    return read_settings(**urls, redis_url="redis://localhost", jwt_secret="x" * 32)


@pytest.mark.parametrize("name", ["database_url", "database_read_url"])
@pytest.mark.parametrize(("option", "told"), REFUSED.items(), ids=REFUSED.keys())
def test_an_option_without_effect_is_refused_by_name(name: str, option: str, told: str) -> None:
    urls = {
        "database_url": "postgresql://me@db.example/scores",
        name: f"postgresql://me:a-secret@db.example/scores?{option}",
    }
    if name == "database_read_url" and told == "SCOREBOARD_DATABASE_READ_URL":
        assert read(**urls).database_read_url
        return
    with pytest.raises(StartError, match=f"(?s)^SCOREBOARD_{name.upper()}: .*{told}") as refused:
        read(**urls)
    assert "a-secret" not in str(refused.value)


@pytest.mark.parametrize(
    "address", ["h:x/db", "h:70000/db", "[::1/db", "[::1]x/db", ",/db", "a,b/", "a:1,b:x/db", "h/db#x"]
)
def test_invalid_hosts_are_refused(address: str) -> None:
    with pytest.raises(StartError, match=r"^SCOREBOARD_DATABASE_URL: "):
        read(database_url=f"postgresql://{address}")


def test_a_password_file_that_other_users_can_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "passwords").write_text("*:*:*:*:kept\n")
    (tmp_path / "passwords").chmod(0o644)
    with pytest.raises(StartError, match=r"passfile.*chmod 600"):
        read(database_url=f"postgresql://h/db?passfile={tmp_path}/passwords")
