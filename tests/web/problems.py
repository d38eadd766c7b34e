"""Submissions with a valid body, and checks of error responses."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2

from scoreboard.web.schemas.problem import ProblemResponse
from tests.harness import Running

GOOD = {"actionId": "quest", "userId": "ada"}


def post(server: Running, content: Any, **headers: str) -> httpx2.Response:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    given = {"Authorization": f"Bearer {server.token()}", "Content-Type": "application/json", **headers}
    return server.client.post("/api/scores", content=body, headers=given)


def code(response: httpx2.Response) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


def assert_problem(response: httpx2.Response, status: int, expected: str) -> dict[str, Any]:
    assert (response.status_code, response.json().get("code")) == (status, expected), response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    ProblemResponse.model_validate(problem)
    assert problem["status"] == status
    assert problem["detail"]
    return problem


@contextmanager
def nothing_counts(server: Running) -> Iterator[None]:
    """Assert that the block makes no event on the main board."""
    version = server.board()["version"]
    yield
    assert server.board()["version"] == version
