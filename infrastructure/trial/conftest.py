"""What the tests ask: the account that an example was applied to, and what Terraform has written of it."""

import os
from pathlib import Path

import pytest

from infrastructure.trial.deployed import Deployed


@pytest.fixture(scope="session")
def deployed() -> Deployed:
    """`make infra-test` sets both; `ARGS=--keep` tells them, for a pytest by hand."""
    return Deployed(os.environ["AWS_ENDPOINT_URL"], Path(os.environ["SCOREBOARD_TEST_TERRAFORM_STATE"]))
