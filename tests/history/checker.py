"""Whether a history can be one of a scoreboard that keeps its promises, in the manner of Jepsen.

Everything that clients and watchers have seen is held against the ledger. Nothing here knows the product's code: only
its plain values.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Final

from scoreboard.domain.boards import RateLimit
from tests.history import boards, ledger, submissions
from tests.history.records import History

SHOWN: Final = 20
"""Violations that are told of each kind: one mistake may spoil every frame after it."""


def check(history: History, limit: RateLimit | None = None) -> list[str]:
    """Each promise that was broken, in a plain sentence; none where the history is good.

    Without a limit, how often somebody scored is not looked at.
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
