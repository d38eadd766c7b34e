"""Find Terraform and a mirror of the AWS provider."""

import os
import re
import shutil
import subprocess
from pathlib import Path

OLDEST_TERRAFORM = (1, 11)
"""The first version with write-only arguments, which keep secrets out of the state."""

NEEDED = "Terraform 1.11 or newer: https://developer.hashicorp.com/terraform/install"

SEARCHED = ("/usr/local/share", "/usr/local/lib", "/usr/share", "/usr/lib", "/opt")
"""Folders that may hold a mirror, in addition to those that Terraform searches itself."""


class NotFound(Exception):
    """Raised when a required program or provider is missing. The text says what to install."""


def terraform_program() -> Path:
    """Raises NotFound."""
    found = shutil.which("terraform")
    if found is None:
        raise NotFound(f"Install {NEEDED}")
    output = subprocess.run(
        [found, "version"], capture_output=True, text=True, timeout=60, check=False
    ).stdout
    version = re.search(r"Terraform v(\d+)\.(\d+)", output)
    if version is None or (int(version[1]), int(version[2])) < OLDEST_TERRAFORM:
        raise NotFound(f"{found} is too old. Install {NEEDED}")
    return Path(found)


def provider_mirror() -> Path | None:
    """Return the folder for `terraform init -plugin-dir`, or None: Terraform searches. Raises NotFound."""
    named = os.environ.get("TF_PLUGIN_MIRROR")
    if named is None:
        found = (provider for folder in SEARCHED for provider in Path(folder).glob("*/*/hashicorp/aws"))
        return next((provider.parents[2] for provider in found), None)
    if not any(Path(named).glob("*/hashicorp/aws/*")):
        raise NotFound(
            f"TF_PLUGIN_MIRROR={named} contains no AWS provider: fill it with `terraform providers mirror`"
        )
    return Path(named)
