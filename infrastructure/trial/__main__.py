"""`python -m infrastructure.trial`; `make infra-test` makes what it needs."""

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
Try infrastructure/ as far as that goes without an account at AWS: format, validation, plan assertions, checkov, and
each example applied to a mock account of its own, planned again without a change, looked at by pytest, destroyed, and
nothing left. Nothing leaves this machine, but for what Terraform asks a registry where no mirror has the provider."""

EPILOG = """\
TF_PLUGIN_MIRROR names a folder that `terraform providers mirror` has filled, where it is in no usual place. Without
Terraform or the provider nothing is tried: that ends with 0, and with 1 where CI is set. A failure ends with 1."""


def main() -> int:
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as Ctrl-C does, it ends what runs
    with TemporaryDirectory(prefix="scoreboard-infrastructure-") as folder, Programs() as programs:
        try:
            terraform = Terraform(terraform_program(), provider_mirror(), programs, Path(folder))
            run = Run(terraform, programs, Path(folder), options.only, waits=options.keep)
            run.prepare()
            run.all_beside_each_other()
        except NotFound as missing:
            print(f"infra-test: not run. {missing}", file=sys.stderr)
            return 1 if os.environ.get("CI") else 0
        except ProgramFailed:
            return 1  # its step has told
        except KeyboardInterrupt:
            return 130
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("make infra-test", description=DESCRIPTION, epilog=EPILOG)
    parts = [*Terraform.examples(), CHECKOV, PLANS]
    parser.add_argument(
        "--only", nargs="+", choices=parts, default=parts, help="of what takes minutes; all by default"
    )
    parser.add_argument(
        "--keep",
        action="store_true",
        help="once it stands, tell how to ask each account, and wait for Ctrl-C",
    )
    return parser.parse_args()


if __name__ == "__main__":
    os.chdir(REPOSITORY)
    sys.exit(main())
