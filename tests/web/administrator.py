"""Requests of an administrator."""

from typing import Any

import httpx2

from scoreboard.domain.scopes import ADMINISTER
from tests.harness import Running

READS = {"players", "history", "events", "suspects"}


def ask_admin(server: Running, name: str, /, key: str | None = None, **body: Any) -> httpx2.Response:
    headers = {"Authorization": f"Bearer {server.token('root', scopes=(ADMINISTER,))}"}
    if key is not None:
        headers["Idempotency-Key"] = key
    path = f"/api/admin/{name}"
    if name in READS:
        return server.client.get(path, params=body, headers=headers)
    return server.client.post(path, json={"reason": "a test", **body}, headers=headers)


def admin(server: Running, name: str, /, key: str | None = None, **body: Any) -> dict[str, Any]:
    """Return the answer to a request that succeeds."""
    response = ask_admin(server, name, key, **body)
    assert response.status_code == 200, response.text
    document: dict[str, Any] = response.json()
    return document
