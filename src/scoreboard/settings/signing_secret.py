"""The secret that signs tokens: from the setting, or from a file next to the database."""

import os
import secrets
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from scoreboard.domain.errors import StartError
from scoreboard.settings.config import MIN_SECRET_BYTES, Settings

_OTHER_USERS: Final = stat.S_IRWXG | stat.S_IRWXO


def secret_path(settings: Settings) -> Path:
    """Return the path of the secret: that of the database, and `.secret`."""
    path = settings.database_path
    return path.with_name(path.name + ".secret")


def load_secret(settings: Settings) -> bytes:
    """Return the secret of the setting, or of the file. A missing file is created, with mode 0600.

    Raises StartError if the file is unreadable, too short, readable by others, or belongs to another user.
    """
    if settings.jwt_secret is not None:
        return settings.jwt_secret.get_secret_value().encode()
    path = secret_path(settings)
    try:
        if not path.exists():
            _create(path)
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            secret = file.read().strip()
    except OSError as error:
        raise StartError(
            f"The secret in {path} cannot be read or created ({error.strerror}): check the path and its "
            "permissions, "
            "or set SCOREBOARD_JWT_SECRET."
        ) from error
    if found.st_uid != os.geteuid():
        raise StartError(
            f"The secret in {path} belongs to another user (uid {found.st_uid}): "
            "run the program as that user, or delete the file for a new secret."
        )
    if stat.S_IMODE(found.st_mode) & _OTHER_USERS:
        raise StartError(
            f"Other users can read the secret in {path}: run “chmod 600 {path}”, or delete it for a new one."
        )
    if len(secret) < MIN_SECRET_BYTES:
        raise StartError(
            f"The secret in {path} has fewer than {MIN_SECRET_BYTES} bytes: delete it for a new one."
        )
    return secret


def _create(path: Path) -> None:
    """Create the file atomically. Of two processes that start together, both read the first one's file."""
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48) + "\n")
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        Path(draft).unlink()
