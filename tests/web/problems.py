"""Submissions with a valid body, and checks of error responses."""

import json
from typing import Any

from scoreboard.web.schemas.problem import ProblemResponse
from tests.harness import Running

GOOD = {"actionId": "quest", "userId": "ada"}


def post(scoreboard: Running, content: Any, **headers: str) -> Any:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    given = {"Authorization": f"Bearer {scoreboard.token()}", "Content-Type": "application/json", **headers}
    return scoreboard.client.post("/api/scores", content=body, headers=given)


def assert_problem(response: Any, status: int, code: str) -> dict[str, Any]:
    assert (response.status_code, response.json().get("code")) == (status, code), response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    ProblemResponse.model_validate(problem)
    assert problem["status"] == status
    assert problem["detail"]
    return problem
