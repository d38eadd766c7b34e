"""The steps of `make infra-test`, in their order."""

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from sys import executable
from threading import Event

from infrastructure.trial.leftovers import standing
from infrastructure.trial.mock_account import REPOSITORY, MockAccount, mock_account, plain_environment
from infrastructure.trial.programs import ProgramFailed, Programs
from infrastructure.trial.steps import Steps
from infrastructure.trial.terraform import SOURCE, Example, Terraform

CHECKOV = "checkov"
PLANS = "plans"
"""What a run is made of, beside the examples."""

CHECKOV_PROGRAM = REPOSITORY / ".venv-checkov" / "bin" / "checkov"

HERE = Path(__file__).parent
EVERY_EXAMPLE = HERE / "every_example"
"""The tests of all; those of one lie in a folder of its name."""


class Run:
    def __init__(
        self, terraform: Terraform, programs: Programs, folder: Path, parts: Sequence[str], *, waits: bool
    ) -> None:
        self._terraform = terraform
        self._programs = programs
        self._folder = folder
        self._parts = parts
        self._waits = waits
        self._ends = Event()
        self._steps = Steps(programs)

    def prepare(self) -> None:
        """What takes seconds. Raises NotFound where the provider cannot be had, and ProgramFailed."""
        take, terraform = self._steps.take, self._terraform
        take("terraform fmt -check", terraform.check_format)
        examples = {name: terraform.folder_of(name) for name in terraform.examples()}
        for name, folder in {"root": terraform.copy, **examples}.items():
            take(f"{name}: init", partial(terraform.initialise, folder))
            take(f"{name}: validate", partial(terraform.validate, folder))

    def all_beside_each_other(self) -> None:
        """What takes minutes, most of which is waiting. Raises ProgramFailed, once each has ended in its way."""
        with ThreadPoolExecutor(len(self._parts)) as pool:
            try:
                futures = [pool.submit(self._part, name) for name in self._parts]
                errors = [error for future in futures if (error := future.exception())]
            finally:
                self._ends.set()
                self._programs.close()
        for error in errors:
            raise error
        print(f"infra-test: all is well, after {self._steps.seconds:.0f} s.")

    def _part(self, name: str) -> None:
        if name == CHECKOV:
            self._steps.take(CHECKOV, self._check_security)
        elif name == PLANS:
            with mock_account(self._programs, self._folder, PLANS) as account:
                self._steps.take(
                    "terraform test, the assertions on plans", partial(self._terraform.test, account)
                )
        else:
            self._try_example(name)

    def _check_security(self) -> str:
        """Fails with every finding that no reason stands beside."""
        command: list[str | Path] = [CHECKOV_PROGRAM, "--framework", "terraform", "--directory", SOURCE]
        # Without a download it asks nobody for guidelines: its checks are in the wheel.
        said = self._programs.run([*command, "--skip-download", "--compact"], REPOSITORY, plain_environment())
        counts = re.search(r"Passed checks: ([1-9]\d*), Failed checks: 0, Skipped checks: \d+", said)
        if counts is None:
            raise ProgramFailed(f"no check was passed:\n{said}")
        return counts[0]

    def _try_example(self, name: str) -> None:
        take = self._steps.take
        with mock_account(self._programs, self._folder, name) as account:
            variables = {"certificate_arn": account.certificate(), "image_tag": "1.0.0"}
            example = self._terraform.example(name, account, variables)
            before = standing(account)
            take(f"{name}: apply", example.apply)
            take(f"{name}: plan again, no change", example.plan_again)
            if self._waits:
                take(f"{name}: wait for Ctrl-C", partial(self._wait, name, example, account))
            take(f"{name}: what the account holds", partial(self._test, name, example, account))
            take(f"{name}: allow its deletion", partial(self._allow_deletion, example, account))
            take(f"{name}: destroy", example.destroy)
            take(f"{name}: nothing is left", partial(_nothing_is_left, example, account, before))

    def _allow_deletion(self, example: Example, account: MockAccount) -> str:
        """By variable, as infrastructure/README.md says; or by hand, where several databases would take minutes.

        By hand, secrets can still be brought back.
        """
        if account.databases() == 1:
            example.apply(deletion_protection="false")
            return "by variable"
        account.allow_deletion()
        return "by hand"

    def _test(self, name: str, example: Example, account: MockAccount) -> str:
        said = self._programs.run(_pytest(name), REPOSITORY, example_environment(example, account))
        return f"{len(example.resources())} resources, {said.strip().splitlines()[-1].strip('= ')}"

    def _wait(self, name: str, example: Example, account: MockAccount) -> None:
        given = example_environment(example, account).items() - plain_environment().items()
        print(*(f"export {name}={value}" for name, value in sorted(given)), sep="\n")
        print(*_pytest(name), flush=True)
        self._ends.wait()
        raise ProgramFailed("ended by Ctrl-C")


def _pytest(name: str) -> list[str | Path]:
    folders = [folder for folder in (EVERY_EXAMPLE, HERE / name) if folder.is_dir()]
    return [executable, "-m", "pytest", "-c", HERE / "pytest.ini", "--rootdir", REPOSITORY, *folders]


def example_environment(example: Example, account: MockAccount) -> dict[str, str]:
    """By which the tests find the account, and what Terraform has written of it."""
    return account.environment | {"SCOREBOARD_TEST_TERRAFORM_STATE": str(example.state)}


def _nothing_is_left(example: Example, account: MockAccount, before: dict[str, list[str]]) -> None:
    if left := example.resources():
        raise ProgramFailed(f"in the state: {[resource['name'] for resource in left]}")
    after = standing(account)
    differences = [
        f"{asked}: {before[asked]} before, {after[asked]} after"
        for asked in before
        if before[asked] != after[asked]
    ]
    if differences:
        raise ProgramFailed("\n".join(differences))
