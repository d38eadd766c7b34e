"""What becomes of a test whose program is missing."""

import os
from typing import NoReturn

import pytest


def go_without(reason: str) -> NoReturn:
    """A laptop skips, and CI fails."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
