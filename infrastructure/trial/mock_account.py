"""A mock of an AWS account: a moto server on the loopback interface, with its state in memory."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from infrastructure.trial.programs import ProgramFailed, Programs

REPOSITORY = Path(__file__).parents[2]

REGION = "eu-central-1"
"""Any region with three zones."""


def plain_environment() -> dict[str, str]:
    """Return the environment without variables that could lead Terraform or boto3 to a real account."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "TF_VAR_", "TF_CLI_ARGS", "TF_WORKSPACE", "TF_DATA_DIR", "MOTO_"))
    }


@dataclass(frozen=True, slots=True)
class MockAccount:
    endpoint: str
    log: Path

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables that point boto3 and Terraform to this account, and to no file of the user."""
        return plain_environment() | {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "mock",
            "AWS_SECRET_ACCESS_KEY": "mock",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id="mock",
            aws_secret_access_key="mock",
        )

    def certificate(self) -> str:
        """Create the certificate that the load balancer needs. Return its ARN."""
        asked = self.client("acm").request_certificate(DomainName="scores.example", ValidationMethod="DNS")
        return str(asked["CertificateArn"])

    def databases(self) -> int:
        return len(self.client("rds").describe_db_instances()["DBInstances"])

    def allow_deletion(self) -> None:
        """Lift the deletion protection of databases and load balancers."""
        rds, balancing = self.client("rds"), self.client("elbv2")
        for database in rds.describe_db_instances()["DBInstances"]:
            rds.modify_db_instance(
                DBInstanceIdentifier=database["DBInstanceIdentifier"], DeletionProtection=False
            )
        for balancer in balancing.describe_load_balancers()["LoadBalancers"]:
            balancing.modify_load_balancer_attributes(
                LoadBalancerArn=balancer["LoadBalancerArn"],
                Attributes=[{"Key": "deletion_protection.enabled", "Value": "false"}],
            )

    def errors(self) -> str:
        """Return the server's last traceback. Clients only receive status 500."""
        _, found, trace = self.log.read_text(errors="replace").rpartition("Traceback (most recent call last)")
        return f"The mock account's last error:\n{trace.strip()[-2_000:]}" if found else ""


@contextmanager
def mock_account(programs: Programs, folder: Path, name: str) -> Iterator[MockAccount]:
    log = folder / f"{name}.log"
    environment = plain_environment() | {
        "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",  # thousands of images that no test uses
        "MOTO_ACM_VALIDATION_WAIT": "0",
        "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",
    }
    with log.open("w") as errors:
        server = programs.start(
            [sys.executable, "-m", "infrastructure.trial.mock_server"], REPOSITORY, environment, errors
        )
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        if not port:
            raise ProgramFailed(f"the mock account did not start:\n{log.read_text()[-2_000:]}")
        try:
            yield MockAccount(f"http://127.0.0.1:{port}", log)
        finally:
            programs.end(server)
