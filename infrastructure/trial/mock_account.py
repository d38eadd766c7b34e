"""An AWS account that is none: a server of its own on the loopback, which forgets all when it ends."""

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
"""Any that has three zones."""


def plain_environment() -> dict[str, str]:
    """This one's, without what would lead Terraform or boto3 to a real account, or to variables of somebody else."""
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
        """Where boto3 and Terraform's provider find it. No file of the user's is read, and the keys open nothing."""
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
        """One for the balancer, which has to be there before it. Its ARN."""
        asked = self.client("acm").request_certificate(DomainName="scores.example", ValidationMethod="DNS")
        return str(asked["CertificateArn"])

    def databases(self) -> int:
        return len(self.client("rds").describe_db_instances()["DBInstances"])

    def allow_deletion(self) -> None:
        """Of what AWS refuses to delete while it is protected: databases and balancers."""
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
        """What went wrong within the server, which a client is told as 500 alone."""
        _, found, trace = self.log.read_text(errors="replace").rpartition("Traceback (most recent call last)")
        return f"The mock account's last error:\n{trace.strip()[-2_000:]}" if found else ""


@contextmanager
def mock_account(programs: Programs, folder: Path, name: str) -> Iterator[MockAccount]:
    log = folder / f"{name}.log"
    environment = plain_environment() | {
        "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",  # thousands of images, of which nobody starts one
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
