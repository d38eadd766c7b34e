"""The steps of `make infra-test`, in order."""

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
from infrastructure.trial.terraform import SOURCE, Example, Terraform

CHECKOV = "checkov"
PLANS = "plans"
"""The parts of a run, in addition to the examples."""

CHECKOV_PROGRAM = REPOSITORY / ".venv-checkov" / "bin" / "checkov"

HERE = Path(__file__).parent
EVERY_EXAMPLE = HERE / "every_example"
"""The tests of all examples. An example's own tests are in a folder with its name."""


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

    def prepare(self) -> None:
        """Run the steps that take seconds. Raises NotFound if the provider is missing, and ProgramFailed."""
        take, terraform = self._programs.step, self._terraform
        take("terraform fmt -check", terraform.check_format)
        examples = {name: terraform.folder_of(name) for name in terraform.examples()}
        for name, folder in {"root": terraform.copy, **examples}.items():
            take(f"{name}: init", partial(terraform.initialise, folder))

    def run_parts(self) -> None:
        """Run the parts, which take minutes, in parallel. Raises ProgramFailed after all have ended."""
        with ThreadPoolExecutor(len(self._parts)) as pool:
            try:
                futures = [pool.submit(self._part, name) for name in self._parts]
                errors = [error for future in futures if (error := future.exception())]
            finally:
                self._ends.set()
                self._programs.close()
        for error in errors:
            raise error
        print(f"infra-test: passed after {self._programs.seconds:.0f} s.")

    def _part(self, name: str) -> None:
        if name == CHECKOV:
            self._programs.step(CHECKOV, self._check_security)
        elif name == PLANS:
            with mock_account(self._programs, self._folder, PLANS) as account:
                self._programs.step("terraform test", partial(self._terraform.test, account))
        else:
            self._try_example(name)

    def _check_security(self) -> str:
        """Raises ProgramFailed for each problem that has no `#checkov:skip` with a reason."""
        command: list[str | Path] = [CHECKOV_PROGRAM, "--framework", "terraform", "--directory", SOURCE]
        # The checks are in the wheel, so nothing is downloaded.
        output = self._programs.run(
            [*command, "--skip-download", "--compact"], REPOSITORY, plain_environment()
        )
        counts = re.search(r"Passed checks: ([1-9]\d*), Failed checks: 0, Skipped checks: \d+", output)
        if counts is None:
            raise ProgramFailed(f"no check passed:\n{output}")
        return counts[0]

    def _try_example(self, name: str) -> None:
        take = self._programs.step
        with mock_account(self._programs, self._folder, name) as account:
            variables = {"certificate_arn": account.certificate(), "image_tag": "1.0.0"}
            example = self._terraform.example(name, account, variables)
            before = standing(account)
            take(f"{name}: apply", example.apply)
            take(f"{name}: plan without changes", example.plan_again)
            if self._waits:
                take(f"{name}: wait for Ctrl-C", partial(self._wait, name, example, account))
            take(f"{name}: test the account", partial(self._test, name, example, account))
            take(f"{name}: allow deletion", partial(self._allow_deletion, example, account))
            take(f"{name}: destroy", example.destroy)
            take(f"{name}: nothing is left", partial(_nothing_is_left, example, account, before))

    def _allow_deletion(self, example: Example, account: MockAccount) -> str:
        """Lift the protection by variable, as a user would, or by faster direct calls."""
        if account.databases() == 1:
            example.apply(deletion_protection="false")
            return "by variable"
        account.allow_deletion()
        return "by direct calls"

    def _test(self, name: str, example: Example, account: MockAccount) -> str:
        output = self._programs.run(_pytest(name), REPOSITORY, example_environment(example, account))
        return f"{len(example.resources())} resources, {output.strip().splitlines()[-1].strip('= ')}"

    def _wait(self, name: str, example: Example, account: MockAccount) -> None:
        given = example_environment(example, account).items() - plain_environment().items()
        print(*(f"export {name}={value}" for name, value in sorted(given)), sep="\n")
        print(*_pytest(name), flush=True)
        self._ends.wait()
        raise ProgramFailed("stopped by Ctrl-C")


def _pytest(name: str) -> list[str | Path]:
    folders = [folder for folder in (EVERY_EXAMPLE, HERE / name) if folder.is_dir()]
    return [executable, "-m", "pytest", "-c", HERE / "pytest.ini", "--rootdir", REPOSITORY, *folders]


def example_environment(example: Example, account: MockAccount) -> dict[str, str]:
    """Return the variables that tell the tests the account and the state file."""
    return account.environment | {"SCOREBOARD_TEST_TERRAFORM_STATE": str(example.state)}


def _nothing_is_left(example: Example, account: MockAccount, before: dict[str, list[str]]) -> None:
    if left := example.resources():
        raise ProgramFailed(f"left in the state: {[resource['name'] for resource in left]}")
    after = standing(account)
    differences = [
        f"{asked}: {before[asked]} before, {after[asked]} after"
        for asked in before
        if before[asked] != after[asked]
    ]
    if differences:
        raise ProgramFailed("\n".join(differences))
