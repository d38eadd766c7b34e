"""Tests of the OpenAPI document: Schemathesis calls every operation of a server."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator, validate
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from scoreboard.web.schemas.leaderboard import PatchResponse
from tests.clocks import HeldClock
from tests.harness import Running, running

STREAM = "/api/leaderboard/stream"

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")

OPTIONS = (
    "--checks=all",
    "--generation-deterministic",
    # The phase before enumerates the values at each boundary of the schemas, whatever this number.
    "--max-examples=10",
    "--request-timeout=5",
    "--warnings=off",
    "--no-color",
)

CONFIGURATION = """
[[operations]]
include-name = "POST /api/admin/adjust"
checks.positive_data_acceptance.expected-statuses = ["2xx", "401", "403", "404", "409", "422", "5xx"]

[[operations]]
include-name = "GET /api/leaderboard"
checks.positive_data_acceptance.expected-statuses = ["2xx", "304", "400", "401", "403", "404"]
"""
"""Two valid bodies with the example's idempotency key: the second is answered 422. OpenAPI cannot say which
parameters of a read exclude each other, and which cursors exist: those are answered 400.
"""

SECONDS = 600.0
"""The time limit of a run, which takes a few seconds on an idle machine."""


def ending_streams(application: ASGIApp) -> ASGIApp:
    """End each stream after its first event, as if the client had disconnected."""

    async def ending(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != STREAM:
            await application(scope, receive, send)
            return
        has_seen = asyncio.Event()

        async def noting(message: Message) -> None:
            await send(message)
            if b"data: " in message.get("body", b""):
                has_seen.set()

        async def leaving() -> Message:
            await has_seen.wait()
            return {"type": "http.disconnect"}

        await application({**scope, "extensions": {}}, leaving, noting)
        if has_seen.is_set():
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    return ending


@contextmanager
def described(folder: Path, *, is_private: bool, has_admin: bool) -> Iterator[Running]:
    """Run a server with the default catalog, which the document's examples are for, and without limits."""
    with running(
        folder,
        HeldClock(),
        around=ending_streams,
        catalog=None,
        rate_limit="1000000/second",
        server_rate_limit="off",
        require_auth_to_read=is_private,
        admin_on_public_port=has_admin,
    ) as server:
        yield server


@pytest.mark.parametrize("has_admin", [False, True], ids=["public", "with administration"])
@pytest.mark.parametrize("is_private", [False, True], ids=["public boards", "private boards"])
def test_the_document_is_valid(tmp_path: Path, is_private: bool, has_admin: bool) -> None:
    with running(
        tmp_path, HeldClock(), require_auth_to_read=is_private, admin_on_public_port=has_admin
    ) as server:
        document = server.client.get("/openapi.json").json()
    validate(document, cls=OpenAPIV31SpecValidator)


@pytest.mark.parametrize(
    ("scopes", "is_private", "has_admin"),
    [
        (None, False, False),
        (None, True, False),
        (("scores:write",), True, False),
        (("scores:write:any",), False, False),
        (("scoreboard:admin",), False, True),
    ],
    ids=["no token", "private, no token", "private, a player", "a trusted server", "an administrator"],
)
def test_every_operation_matches_the_document(
    tmp_path: Path, scopes: tuple[str, ...] | None, is_private: bool, has_admin: bool
) -> None:
    (tmp_path / "schemathesis.toml").write_text(CONFIGURATION)
    with described(tmp_path, is_private=is_private, has_admin=has_admin) as server:
        # An administrator's token changes no answer of the other operations.
        only = "/api/admin/" if has_admin else "/"
        header = [] if scopes is None else [f"--header=Authorization: Bearer {server.token(scopes=scopes)}"]
        run = subprocess.run(
            [
                SCHEMATHESIS,
                "run",
                f"{server.url}/openapi.json",
                *OPTIONS,
                f"--include-path-regex=^{only}",
                *header,
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert run.returncode == 0, run.stdout + run.stderr
        # No operation was skipped.
        paths = server.client.get("/openapi.json").json()["paths"]
        operations = sum(len(paths[path]) for path in paths if path.startswith(only))
        assert f"Tested: {operations}\n" in run.stdout


def test_a_patch_matches_its_schema(tmp_path: Path) -> None:
    with running(tmp_path, HeldClock(), rate_limit="1000/minute") as server:
        for number in range(10):
            server.score(f"user-{number}")
        with server.watch(f"{STREAM}?delta=1") as watcher:
            watcher.frame()
            server.score("user-9")
            block = watcher.fields()
    assert block["event"] == "patch"
    assert PatchResponse.model_validate_json(block["data"]).entries[0].user_id == "user-9"
