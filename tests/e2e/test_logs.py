"""A server prints no token, secret or key, for any request and any error."""

import base64
import json
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import jwt
import pytest

from tests.e2e.processes import Client, scoreboard, serving, token, variables
from tests.harness import SECRET
from tests.limits import LIMIT_SECONDS
from tests.servers.process import free_port

OLD_SECRET = "an old secret of the tests that is no longer in use"
PASSWORD = "a-password-of-the-tests"
KEY = "an-idempotency-key-of-the-tests"
BODY = {"actionId": "quest", "userId": "ada"}

MISTAKE = """
from scoreboard import cli
from scoreboard.services.submit import Submitter

submit = Submitter.submit

async def failing(self, caller, claim, *rest):
    if claim.user_id == "unforeseen":
        raise RuntimeError("an unforeseen error")
    return await submit(self, caller, claim, *rest)

Submitter.submit = failing
cli.main()
"""

FAILING = (sys.executable, "-c", MISTAKE)
"""The program with a bug."""


def raw(client: httpx2.Client, data: bytes) -> None:
    """Send any bytes, and read the whole response."""
    where = urlsplit(str(client.base_url))
    with socket.create_connection((where.hostname, where.port), timeout=LIMIT_SECONDS) as connection:
        connection.sendall(data)
        while connection.recv(65_536):
            pass


def ask_everything(client: Client, good: str, trusted: str, bad: Mapping[str, str]) -> None:
    """Send valid and invalid requests, with a secret in each part."""
    bearer = {"Authorization": f"Bearer {good}"}
    assert client.score("ada", key=KEY, by=good).status_code == 201
    assert client.score("ada", "duel", key=KEY, by=good).status_code == 422
    assert client.score("bob", by=trusted).status_code == 201
    assert [client.score("ada", by=good).status_code for _ in range(12)][-1] == 429
    assert client.score("bob", by=good).status_code == 403
    assert client.score("unforeseen", key=KEY, by=trusted).status_code == 500
    for invalid in bad.values():
        # 503 if the key of the token may be in the key set, which is not available.
        assert client.score("ada", by=invalid).status_code in {401, 503}
    assert (
        client.get("/api/leaderboard", headers={"Authorization": f"Basic {bad['basic']}"}).status_code == 200
    )
    for path in ("/api/leaderboard", "/api/leaderboard/stream"):
        assert client.get(path, params={"access_token": good}).status_code == 400
    for path in (
        f"/{good}",
        f"/api/scores/{good}",
        f"/static/{good}",
        f"/?board={good}",
        f"/health/live/{good}",
    ):
        assert client.get(path, headers=bearer).status_code == 404
    for body in (b"{" + good.encode(), json.dumps({**BODY, "secret": good}).encode(), good.encode() * 100):
        answer = client.post(
            "/api/scores", content=body, headers={**bearer, "Content-Type": "application/json"}
        )
        assert 400 <= answer.status_code < 500
    line = f"Authorization: Bearer {good}\r\n".encode()
    upgrade = b"Connection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n"
    raw(client, line + b"\r\n")
    raw(client, b"GET / HTTP/1.1\r\nHost: x\r\n" + line + b"Bad\0Header: x\r\n\r\n")
    raw(client, b"GET /api/leaderboard HTTP/1.1\r\nHost: x\r\n" + line * 200 + b"\r\n")
    raw(client, b"GET /health/live HTTP/1.1\r\nHost: x\r\n" + line + upgrade)


def tokens(now: int) -> dict[str, str]:
    """Return invalid tokens."""
    claims = {"sub": "ada", "exp": now + 3_600}
    return {
        "forged": jwt.encode(claims, "another secret of thirty-two bytes", algorithm="HS256"),
        "expired": jwt.encode({**claims, "exp": 1}, SECRET, algorithm="HS256"),
        "endless": jwt.encode({**claims, "exp": now * 2}, SECRET, algorithm="HS256"),
        "unsigned": jwt.encode(claims, "", algorithm="none"),
        "long": jwt.encode({**claims, "padding": "x" * 9_000}, SECRET, algorithm="HS256"),
        "of another kind": jwt.encode(
            claims, SECRET, algorithm="HS256", headers={"kid": "a-kid-of-the-tests"}
        )
        + "x",
        "malformed": "a-token-that-is-none",
        "basic": base64.b64encode(f"ada:{PASSWORD}".encode()).decode(),
    }


def assert_kept(output: str, secrets: list[str]) -> None:
    for secret in secrets:
        # The claims and the signature of a token are secret. All tokens have the same header.
        for part in [secret, *(part for part in secret.split(".")[1:] if len(part) > 12)]:
            assert part not in output


@pytest.fixture
def settings(deployment: dict[str, Any]) -> dict[str, str]:
    """Return settings with secrets, and with the URL of a key set that does not answer."""
    return {
        "SCOREBOARD_JWT_OLD_SECRETS": OLD_SECRET,
        "SCOREBOARD_REQUEST_LOG": "true",
        "SCOREBOARD_JWT_JWKS_URL": f"http://127.0.0.1:{free_port()}/keys?key={PASSWORD}",
        **variables(deployment),
    }


def test_no_request_makes_the_server_print_a_secret(tmp_path: Path, settings: dict[str, str]) -> None:
    good, trusted = token("ada"), token("game", None, "scores:write:any")
    now = jwt.decode(good, options={"verify_signature": False})["iat"]
    bad = tokens(now)
    with serving(tmp_path, command=FAILING, **settings) as (process, client):
        ask_everything(client, good, trusted, bad)
        process.end(signal.SIGTERM)
    # The errors were logged, so the log was captured.
    for told in (
        "an unforeseen error",
        "refused bad requests",
        "the key set is not usable",
        "stopping",
        '"event": "request"',
    ):
        assert told in process.output
    assert_kept(process.output, [good, trusted, *bad.values(), SECRET, OLD_SECRET, PASSWORD, KEY])


def test_an_unavailable_database_or_redis_is_logged_without_its_password(
    tmp_path: Path, migrated_url: str
) -> None:
    settings = {
        "SCOREBOARD_DATABASE_URL": migrated_url,
        "SCOREBOARD_REDIS_URL": f"redis://:{PASSWORD}@127.0.0.1:{free_port()}/0",
    }
    with serving(tmp_path, **settings) as (process, client):
        good = token("ada")
        assert client.score("ada", key=KEY, by=good).status_code == 201
        process.end(signal.SIGTERM)
    assert "Redis is unreachable" in process.output
    assert_kept(process.output, [PASSWORD, SECRET, KEY, good])
    settings["SCOREBOARD_DATABASE_URL"] = f"postgresql://me:{PASSWORD}@127.0.0.1:{free_port()}/scores"
    for command in ("serve", "migrate", "verify"):
        done = scoreboard(tmp_path, command, **settings)
        assert done.returncode != 0
        assert_kept(done.stdout + done.stderr, [PASSWORD, SECRET])
