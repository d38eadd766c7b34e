"""Each error that a request can cause is one that the web knows."""

from collections.abc import Iterator

import pytest

from scoreboard.domain.errors import RankingUnavailable, ScoreboardError, StartError
from scoreboard.web.problems import STATUS

OF_NO_REQUEST = (StartError, RankingUnavailable)
"""A server does not start after a StartError. If the ranking is unavailable, services use the store."""


def raised(base: type[ScoreboardError]) -> Iterator[type[ScoreboardError]]:
    """The errors with this base class that have no subclasses of their own."""
    if not (subclasses := base.__subclasses__()):
        yield base
    for subclass in subclasses:
        if not issubclass(subclass, OF_NO_REQUEST):
            yield from raised(subclass)


@pytest.mark.parametrize("error", list(raised(ScoreboardError)), ids=lambda error: error.code)
def test_an_error_of_a_request_has_a_status(error: type[ScoreboardError]) -> None:
    assert STATUS[error] >= 400
