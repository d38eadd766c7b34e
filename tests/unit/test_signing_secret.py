"""The file of the signing secret: the server creates it, and only its owner can use it."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from scoreboard.domain.errors import StartError
from scoreboard.settings.config import Settings, read_settings
from scoreboard.settings.signing_secret import load_secret, secret_path


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
