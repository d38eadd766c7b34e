"""Where Terraform and the provider for AWS come from.

`TF_PLUGIN_MIRROR` names the folder of a provider mirror: the one that holds a folder for each registry's host, as
`terraform providers mirror` makes it. Without it the usual places are looked through; where none has the provider,
Terraform asks the registry itself.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

OLDEST_TERRAFORM = (1, 11)
"""The first with write-only arguments, by which secrets stay out of the state."""

MIRRORS = (
    # Terraform's own implied mirrors: https://developer.hashicorp.com/terraform/cli/config/config-file
    "~/.terraform.d/plugins",
    "~/.local/share/terraform/plugins",
    "~/Library/Application Support/io.terraform/plugins",
    "/usr/local/share/terraform/plugins",
    "/usr/share/terraform/plugins",
    "/Library/Application Support/io.terraform/plugins",
)

SEARCHED = ("/usr/local/share", "/usr/local/lib", "/usr/share", "/usr/lib", "/opt")
"""Where somebody who prepares a machine without a network puts such a mirror."""

UNPACKED = "*/hashicorp/aws/*/*/terraform-provider-aws*"
PACKED = "*/hashicorp/aws/terraform-provider-aws*.zip"
"""What a mirror holds below its folder, in either of its two layouts."""


class NotFound(Exception):
    """Raised when what is needed is not on this machine; tells what to install."""


def terraform_program() -> Path:
    """Raises NotFound."""
    found = shutil.which("terraform")
    needed = ".".join(map(str, OLDEST_TERRAFORM))
    if found is None:
        raise NotFound(
            f"Terraform {needed} or newer is not on this machine: https://developer.hashicorp.com/terraform/install"
        )
    said = subprocess.run([found, "version"], capture_output=True, text=True, timeout=60, check=False).stdout
    version = re.search(r"Terraform v(\d+)\.(\d+)", said)
    if version is None or (int(version[1]), int(version[2])) < OLDEST_TERRAFORM:
        raise NotFound(
            f"{found} is not Terraform {needed} or newer: https://developer.hashicorp.com/terraform/install"
        )
    return Path(found)


def provider_mirror() -> Path | None:
    """The folder for `terraform init -plugin-dir`, or None where only a registry can help. Raises NotFound."""
    named = os.environ.get("TF_PLUGIN_MIRROR")
    if named is not None:
        if not _has_provider(Path(named)):
            raise NotFound(
                f"TF_PLUGIN_MIRROR={named} holds no provider for AWS: fill it with `terraform providers mirror`"
            )
        return Path(named)
    return next(filter(_has_provider, _candidates()), None)


def _candidates() -> Iterator[Path]:
    yield from (Path(place).expanduser() for place in MIRRORS)
    for place in map(Path, SEARCHED):
        # A mirror stands here or one folder below, with its hosts in it: deeper would be to search the whole disk.
        for host in (
            *place.glob("*/hashicorp"),
            *place.glob("*/*/hashicorp"),
            *place.glob("*/*/*/hashicorp"),
        ):
            yield host.parent.parent


def _has_provider(folder: Path) -> bool:
    return any(True for pattern in (UNPACKED, PACKED) for _ in folder.glob(pattern))
