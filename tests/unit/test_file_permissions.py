"""Files that decide what the server does are refused if every user of the machine can change them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from scoreboard.domain.errors import StartError
from scoreboard.server.http_server import make_config
from scoreboard.settings.catalog import load_catalog
from scoreboard.settings.config import read_settings
from scoreboard.web.auth.key_set import read_pem

KEY = Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
CATALOG = b"""
[boards.main]
title = "Main"
[actions.quest]
board = "main"
points = 50
title = "Quest"
"""


async def application(*_: object) -> None:
    raise NotImplementedError


FILES: dict[str, tuple[bytes, Callable[[Path], object]]] = {
    "settings": (b"SCOREBOARD_PORT=8000", lambda path: read_settings(_env_file=path)),
    "catalog": (CATALOG, load_catalog),
    "public key": (KEY, lambda path: read_pem(path, ["EdDSA"])),
}


@pytest.mark.parametrize(("content", "read"), FILES.values(), ids=FILES)
def test_a_file_that_every_user_can_change_is_refused(
    tmp_path: Path, content: bytes, read: Callable[[Path], object]
) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    for mode in (0o600, 0o644, 0o664):
        path.chmod(mode)
        read(path)
    for mode in (0o666, 0o602):
        path.chmod(mode)
        with pytest.raises(StartError, match=f"Every user .* {path}: run “chmod .* {path}”"):
            read(path)


def test_files_of_tls_that_every_user_can_change_are_refused(tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    for path in (certificate, key):
        path.write_bytes(b"")
    key.chmod(0o606)
    with pytest.raises(StartError, match=f"Every user .* {key}"):
        make_config(application, (certificate, key))
