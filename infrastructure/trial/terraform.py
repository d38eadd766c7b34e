"""Run Terraform in a copy of `infrastructure/`, so that the working tree is unchanged."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infrastructure.trial.finding import NotFound
from infrastructure.trial.mock_account import REPOSITORY, MockAccount, plain_environment
from infrastructure.trial.programs import ProgramFailed, Programs

SOURCE = REPOSITORY / "infrastructure"

OVERRIDE = """\
terraform {
  backend "local" {}
}

provider "aws" {
  # The mock account has no credentials to validate. The default of 25 retries takes minutes.
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  s3_use_path_style           = true
  max_retries                 = 3
}
"""
"""Overrides the example's configuration (`*_override.tf`). The state is a local file."""

NO_REGISTRY = "could not connect to"
"""Terraform's message if a registry does not respond."""


class Terraform:
    def __init__(self, program: Path, mirror: Path | None, programs: Programs, folder: Path) -> None:
        self._program = program
        self._mirror = mirror
        self._programs = programs
        self.copy = folder / SOURCE.name
        ignored = shutil.ignore_patterns("trial", ".terraform*", "*.tfstate*", "*.tfvars")
        shutil.copytree(SOURCE, self.copy, ignore=ignored)
        for example in self.examples():
            (self.folder_of(example) / "mock_override.tf").write_text(OVERRIDE)

    @staticmethod
    def examples() -> list[str]:
        return sorted(folder.name for folder in (SOURCE / "examples").iterdir() if folder.is_dir())

    def check_format(self) -> None:
        """Raises ProgramFailed with the difference."""
        self.run(SOURCE, "fmt", "-check", "-recursive", "-diff")

    def folder_of(self, example: str) -> Path:
        return self.copy / "examples" / example

    def initialise(self, folder: Path) -> None:
        """Raises NotFound if there is no mirror and no registry responds."""
        mirror = [f"-plugin-dir={self._mirror}"] if self._mirror else []
        try:
            self.run(folder, "init", "-input=false", *mirror)
        except ProgramFailed as failed:
            if mirror or NO_REGISTRY not in str(failed):
                raise
            raise NotFound(
                "There is no mirror of the AWS provider, and no registry responds: fill a folder with "
                "`terraform providers mirror`, and set TF_PLUGIN_MIRROR to it"
            ) from None

    def test(self, account: MockAccount) -> str:
        """Check the assertions on plans. The account provides data sources and secrets. Return the count."""
        output = self.run(self.copy, "test", **account.environment)
        if "0 passed" in output or "passed" not in output:
            raise ProgramFailed(f"no plan assertion ran:\n{output}")
        return output.strip().splitlines()[-1]

    def run(self, folder: Path, *arguments: str, **environment: str) -> str:
        command: list[str | Path] = [self._program, *arguments, "-no-color"]
        return self._programs.run(command, folder, {**plain_environment(), **environment})

    def example(self, name: str, account: MockAccount, variables: Mapping[str, str]) -> "Example":
        return Example(self, self.folder_of(name), account, variables)


class Example:
    """An example, applied to an account."""

    def __init__(
        self, terraform: Terraform, folder: Path, account: MockAccount, variables: Mapping[str, str]
    ) -> None:
        self._terraform = terraform
        self.folder = folder
        self._account = account
        self._variables = {f"TF_VAR_{name}": value for name, value in variables.items()}

    @property
    def state(self) -> Path:
        return self.folder / "terraform.tfstate"

    def apply(self, **variables: str) -> None:
        self._change("apply", **variables)

    def plan_again(self) -> None:
        """Raises ProgramFailed if the plan contains a change."""
        self.run("plan", "-input=false", "-detailed-exitcode")

    def destroy(self, **variables: str) -> None:
        self._change("destroy", **variables)

    def _change(self, command: str, **variables: str) -> None:
        """Raises ProgramFailed with the last error of the mock account."""
        try:
            self.run(command, "-input=false", "-auto-approve", **variables)
        except ProgramFailed as failed:
            raise ProgramFailed(f"{failed}\n{self._account.errors()}") from None

    def resources(self) -> list[dict[str, Any]]:
        """Return the resources in the state, without data sources."""
        found = json.loads(self.state.read_text())["resources"]
        return [
            resource for resource in found if resource["mode"] == "managed" for _ in resource["instances"]
        ]

    def run(self, *arguments: str, **variables: str) -> str:
        given = self._variables | {f"TF_VAR_{name}": value for name, value in variables.items()}
        return self._terraform.run(self.folder, *arguments, **{**self._account.environment, **given})
