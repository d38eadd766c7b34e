"""Check whether a history is possible for a scoreboard that keeps its promises, as Jepsen does.

Everything that clients and watchers saw is compared with the ledger. The checker uses the product's plain
values, and none of its code.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Final

from scoreboard.domain.rate_limit import RateLimit
from tests.history import boards, ledger, periods, submissions
from tests.history.records import History

SHOWN: Final = 20
"""Violations that are reported of each kind: one mistake may make every later frame wrong."""


def check(history: History, limit: RateLimit | None = None) -> list[str]:
    """Return each violation as a plain sentence. A correct history has none.

    Without a limit, the rate of submissions is not checked.
    """
    kinds = [
        submissions.faults(history),
        submissions.answers(history),
        submissions.repeats(history),
        submissions.counts(history),
        submissions.order(history),
        ledger.versions(history),
        ledger.sums(history),
        ledger.players(history),
        ledger.twice(history),
        periods.rollovers(history),
        periods.scores(history),
        periods.named(history),
        boards.shown(history),
        boards.ranks(history),
        boards.back(history),
        boards.ends(history),
    ]
    if limit is not None:
        kinds.append(ledger.rate(history, limit))
    return [violation for kind in kinds for violation in _first(kind)]


def _first(violations: Iterator[str]) -> Iterator[str]:
    yield from islice(violations, SHOWN)
    if next(violations, None) is not None:
        yield "… and more of this kind"
