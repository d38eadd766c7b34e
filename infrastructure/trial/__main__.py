"""The command line of `make infra-test`: `python -m infrastructure.trial`."""

import argparse
import os
import signal
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from infrastructure.trial.finding import NotFound, provider_mirror, terraform_program
from infrastructure.trial.mock_account import REPOSITORY
from infrastructure.trial.programs import ProgramFailed, Programs
from infrastructure.trial.run import CHECKOV, PLANS, Run
from infrastructure.trial.terraform import Terraform

DESCRIPTION = """\
Test infrastructure/ without an AWS account: check format, types, plan assertions and checkov; apply each
example to a mock account, plan again without changes, test the account with pytest, destroy it, and find no
leftovers. Only Terraform uses the network, to download the provider if there is no mirror."""

EPILOG = """\
Set TF_PLUGIN_MIRROR to a folder filled by `terraform providers mirror`, unless Terraform finds the provider
itself. Without Terraform or the provider, the command tests nothing and exits with 0, or with 1 if CI is set.
After a failed step it exits with 1."""


def main() -> int:
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends the programs, like Ctrl-C
    with TemporaryDirectory(prefix="scoreboard-infrastructure-") as folder, Programs() as programs:
        try:
            terraform = Terraform(terraform_program(), provider_mirror(), programs, Path(folder))
            run = Run(terraform, programs, Path(folder), options.only, waits=options.keep)
            run.prepare()
            run.run_parts()
        except NotFound as missing:
            print(f"infra-test: not run. {missing}", file=sys.stderr)
            return 1 if os.environ.get("CI") else 0
        except ProgramFailed:
            return 1  # the step has printed it
        except KeyboardInterrupt:
            return 130
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("make infra-test", description=DESCRIPTION, epilog=EPILOG)
    parts = [*Terraform.examples(), CHECKOV, PLANS]
    parser.add_argument(
        "--only", nargs="+", choices=parts, default=parts, help="the parts to run; default: all"
    )
    parser.add_argument(
        "--keep",
        action="store_true",
        help="keep each account after apply, print how to query it, and wait for Ctrl-C",
    )
    return parser.parse_args()


if __name__ == "__main__":
    os.chdir(REPOSITORY)
    sys.exit(main())
