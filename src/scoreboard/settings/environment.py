"""Reading settings from the environment and the file `.env`, with warnings about probable mistakes."""

import os
import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Final

import structlog
from dotenv import dotenv_values

from scoreboard.domain.errors import StartError
from scoreboard.settings.file_permissions import check_writers

PREFIX: Final = "SCOREBOARD_"

IGNORED_VARIABLES: Final = re.compile(r"SCOREBOARD_(TOKEN|TEST_.*)")
"""Variables that the server ignores: those of `scoreboard watch` and of the tests."""

SERVICE_ADDRESS: Final = re.compile(r"(tcp|udp|sctp)://\S*")
"""The value of a port that Kubernetes sets for a Service, and Docker for a linked container."""

SERVICE_VARIABLE: Final = re.compile(
    r"SCOREBOARD_(.*_)?(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?|ENV_.+)"
)
"""Other variables that Kubernetes and Docker set: https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables"""

LINK_NAME: Final = re.compile(r"/\S*/\S*")
"""The value of a name that Docker sets for a linked container: `/web/scoreboard`."""

LIKE_PREFIX: Final = re.compile(r"S.*(BOARD|CORE).*")
"""Variables whose prefix may be misspelt."""

SIMILARITY: Final = 0.8
HIGH_SIMILARITY: Final = 0.92
"""The similarity of a variable to a setting for a suggestion: with the right prefix, with another one."""

log = structlog.get_logger()


def settings(file: Path | None, known: Collection[str]) -> dict[str, str]:
    """Return the values of the known settings. The environment takes precedence over the file.

    An empty value counts as unset. Variables that look like settings but are unknown are logged. Raises
    StartError.
    """
    found = {} if file is None else _variables_of(file)
    found |= _variables()
    names = {f"{PREFIX}{name.upper()}": name for name in known}
    _warn_of_unknown(found.keys() - names.keys(), names)
    return {names[name]: value for name, value in found.items() if name in names}


def _variables() -> dict[str, str]:
    """Return the environment without the variables of a Kubernetes or Docker service named `scoreboard`."""
    found = _named_as_settings(os.environ)
    services = sorted(name for name, value in found.items() if is_set_for_a_service(name, value))
    ports = [name for name in services if name.endswith("_PORT")]
    if ports:
        log.warning("ignored addresses that Kubernetes or Docker has set for a service", variables=ports)
    return {name: value for name, value in found.items() if name not in services}


def is_set_for_a_service(name: str, value: str) -> bool:
    """Return True if Kubernetes or Docker has set a variable for a service or a container."""
    if name.endswith("_PORT") and SERVICE_ADDRESS.fullmatch(value):
        return True
    if name.endswith("_NAME"):
        return LINK_NAME.fullmatch(value) is not None
    return SERVICE_VARIABLE.fullmatch(name) is not None


def _variables_of(path: Path) -> dict[str, str]:
    """Return the variables of a file `.env`. `${…}` is not expanded. Raises StartError."""
    if not path.is_file():
        return {}
    try:
        check_writers(path, "the settings", "600")
        found = _named_as_settings(dotenv_values(path, encoding="utf-8-sig", interpolate=False))
    except UnicodeDecodeError:
        raise StartError(f"The file {path} is not UTF-8: save it as UTF-8.") from None
    except OSError as error:
        raise StartError(
            f"The file {path} cannot be read ({error.strerror}): check its permissions."
        ) from error
    if literal := sorted(name for name, value in found.items() if "${" in value):
        log.warning("${…} is not expanded: the value is taken as it is", file=str(path), settings=literal)
    return found


def _named_as_settings(variables: Mapping[str, str | None]) -> dict[str, str]:
    """Return the variables with the prefix of settings, or with a similar prefix."""
    found = {name.upper(): value for name, value in variables.items() if value}
    return {
        name: value for name, value in found.items() if name.startswith(PREFIX) or LIKE_PREFIX.fullmatch(name)
    }


def _warn_of_unknown(names: Collection[str], known: Collection[str]) -> None:
    for name in sorted(names):
        if IGNORED_VARIABLES.fullmatch(name):
            continue
        has_prefix = name.startswith(PREFIX)
        nearest = get_close_matches(name, known, n=1, cutoff=SIMILARITY if has_prefix else HIGH_SIMILARITY)
        if not nearest and not has_prefix:
            continue
        log.warning(
            "there is no such setting", variable=name, **({"did_you_mean": nearest[0]} if nearest else {})
        )
