"""Boards that open and close, and submissions for a period."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.clocks import HeldClock
from tests.harness import UNLIMITED, Running, running
from tests.web.problems import code

CATALOG = """
[boards.main]
title = "Winter cup"
opens_at = 2026-11-18T12:06:45+01:00
closes_at = 2026-11-18T11:06:50Z
[actions.quest]
board = "main"
points = 50
title = "Quest"
"""


@pytest.fixture
def cup(tmp_path: Path) -> Iterator[Running]:
    """A server at 11:06:40 UTC, whose board opens five seconds later, for five seconds."""
    (tmp_path / "catalog.toml").write_text(CATALOG)
    with running(tmp_path, HeldClock(), rate_limit=UNLIMITED) as server:
        yield server


def test_a_board_accepts_submissions_from_its_opening_until_its_end(cup: Running) -> None:
    early = cup.score("ada", key="first")
    assert code(early) == (409, "board_not_open")
    assert early.headers["Retry-After"] == "5"
    cup.clock.advance(4.999_999)
    assert code(cup.score("ada")) == (409, "board_not_open")
    cup.clock.advance(0.000_001)
    first = cup.score("ada", key="first")
    assert first.status_code == 201
    cup.clock.advance(4.999_999)
    assert cup.score("ada").status_code == 201
    cup.clock.advance(0.000_001)
    late = cup.score("ada")
    assert code(late) == (409, "board_closed")
    assert "Retry-After" not in late.headers
    assert cup.score("ada", key="first").json()["eventId"] == first.json()["eventId"]
    assert [entry["score"] for entry in cup.board()["entries"]] == [100]


def post(server: Running, **body: Any) -> httpx2.Response:
    headers = {"Authorization": f"Bearer {server.token('ada')}"}
    body = {"actionId": "quest", "userId": "ada", **body}
    return server.client.post("/api/scores", json=body, headers=headers)


def test_a_submission_for_a_period_that_is_not_open_is_refused(server: Running) -> None:
    assert post(server, period="all").status_code == 201
    refused = post(server, period="2026-W48")
    assert code(refused) == (409, "period_over")
    assert "“2026-W48” is not open. Open are: all." in refused.json()["detail"]


MISTAKES: list[tuple[str, dict[str, Any]]] = [
    ("period", {"period": ""}),
    ("columns", {"columns": [1]}),
    ("columns", {"columns": {"a": 1, "b": 1, "c": 1}}),
    ("columns.time", {"columns": {"time": "1"}}),
    ("columns.Time.[key]", {"columns": {"Time": 1}}),
]


@pytest.mark.parametrize(("field", "body"), MISTAKES)
def test_a_malformed_period_or_column_is_named(server: Running, field: str, body: dict[str, Any]) -> None:
    refused = post(server, **body)
    assert code(refused) == (422, "validation_failed")
    assert [mistake["field"] for mistake in refused.json()["errors"]] == [field]


def test_a_value_for_a_column_that_the_board_does_not_have_is_refused(server: Running) -> None:
    headers = {"Authorization": f"Bearer {server.token('game', scopes=('scores:write:any',))}"}
    body = {"actionId": "quest", "userId": "ada", "columns": {"time": 5}}
    refused = server.client.post("/api/scores", json=body, headers=headers)
    assert code(refused) == (409, "unknown_column")
    assert code(post(server, columns={"time": 5})) == (403, "points_not_yours")
