"""The account and the state that the tests check."""

import os
from pathlib import Path

import pytest

from infrastructure.trial.deployed import Deployed


@pytest.fixture(scope="session")
def deployed() -> Deployed:
    """`make infra-test` sets both variables; `ARGS=--keep` prints them."""
    return Deployed(os.environ["AWS_ENDPOINT_URL"], Path(os.environ["SCOREBOARD_TEST_TERRAFORM_STATE"]))
