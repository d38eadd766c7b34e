"""Programs that tests need: find them, or skip the test, and run proxies."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import httpx2
import pytest

from tests.limits import LIMIT_SECONDS
from tests.servers.process import until


def go_without(reason: str) -> NoReturn:
    """Skip the test, or fail it in CI."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def find_program(name: str, package: str) -> str:
    """Return the path of a program. Without it, skip the test, or fail it in CI."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    return found or go_without(f"{name} is needed for this test: on Debian, apt-get install {package}")


@contextmanager
def running_proxy(*command: str, url: str) -> Iterator[None]:
    """Run a proxy, from the moment it responds at the URL."""

    def responds() -> bool:
        try:
            return bool(httpx2.get(url, verify=False))
        except httpx2.TransportError:
            return False

    with subprocess.Popen(command) as process:
        try:
            until(responds, f"{command[0]} responds")
            yield
        finally:
            process.terminate()
            try:
                process.wait(LIMIT_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
