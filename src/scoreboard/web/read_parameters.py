"""Parameters, headers and errors that the routes that read boards have in common, as OpenAPI."""

from typing import Any, Final

from scoreboard.domain import errors
from scoreboard.web import problems
from scoreboard.web.dependencies import AUTHENTICATION_ERRORS
from scoreboard.web.openapi import optional_parameter
from scoreboard.web.schemas.fields import ID
from scoreboard.web.schemas.leaderboard import MAX_AGO, PERIOD_SCHEMA

_TEXT: Final = {"type": "string"}


def integer(minimum: int, maximum: int, **more: int) -> dict[str, Any]:
    """Return the schema of an integer."""
    return {"type": "integer", "minimum": minimum, "maximum": maximum, **more}


BOARD: Final = optional_parameter(
    "board", "A board of the catalog. By default, the first one.", ID, example="main"
)

PERIOD: Final = optional_parameter(
    "period",
    "`all`, a kind of period for the one that is open, or the id of a period such as `2026-W48`.",
    PERIOD_SCHEMA,
)

AGO: Final = optional_parameter(
    "ago",
    "The period so many periods earlier: with `period=week`, 1 is last week.",
    integer(0, MAX_AGO, default=0),
)

IF_NONE_MATCH: Final = optional_parameter(
    "If-None-Match", "The `ETag` of an earlier response.", _TEXT, "header"
)

OPTIONAL_TOKEN: Final[list[dict[str, list[str]]]] = [{}, {"bearer": []}]
"""A token is required only with SCOREBOARD_REQUIRE_AUTH_TO_READ."""

ETAG: Final = {"ETag": {"description": "Changes when the response changes.", "schema": _TEXT}}

ACCESS_ERRORS: Final = (problems.TokenInQuery(), *AUTHENTICATION_ERRORS)

BOARD_ERRORS: Final = (
    *ACCESS_ERRORS,
    errors.UnknownBoard("no-such-board"),
    problems.ValidationFailed([problems.FieldMistake("limit", "Input should be less than or equal to 100")]),
)
"""The errors of every route that reads one board, also as a stream."""

READ_ERRORS: Final = (
    *BOARD_ERRORS,
    errors.UnknownPeriod("2026-W53", "main"),
    problems.ReadsLimited(1_000_000),
    errors.StoreUnavailable(),
    errors.RankingUnavailable(),
)
"""The errors of reads of a board in a period."""
