"""Notices of `scoreboard verify`: the events that were written while the clock ran ahead."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from scoreboard.domain.events import Event
from scoreboard.domain.windows import is_ahead
from scoreboard.ports.store import Store
from scoreboard.services.apply import PAGE_SIZE

MAX_NOTICES: Final = 20
"""Notices that are listed."""


async def clock_notices(store: Store, board: str, set_back_version: int) -> Sequence[str]:
    """Return notices of events whose reading exceeds that of a later event by more than a small step.

    `set_back_version` is the newest event before which the clock was set back. The ledger is read backwards
    from there. Raises StoreUnavailable.
    """
    runs: list[_Run] = []
    earliest_us: int | None = None
    version = set_back_version
    while version > 0:
        after = max(0, version - PAGE_SIZE)
        for event in reversed(await store.events(board, after, version - after)):
            if earliest_us is not None and is_ahead(event.reading_us, earliest_us):
                _add(runs, event, event.reading_us - earliest_us)
            earliest_us = event.reading_us if earliest_us is None else min(earliest_us, event.reading_us)
        version = after
    notices = [run.notice() for run in reversed(runs)]
    if len(notices) > MAX_NOTICES:
        notices[MAX_NOTICES:] = [f"… and {len(notices) - MAX_NOTICES} more"]
    return notices


class _Run:
    """A range of consecutive events."""

    def __init__(self, last: int, ahead_us: int) -> None:
        self.first = self.last = last
        self.ahead_us = ahead_us

    def notice(self) -> str:
        events = f"event {self.first}" if self.first == self.last else f"events {self.first} to {self.last}"
        ahead = timedelta(seconds=self.ahead_us // 1_000_000)
        return f"{events}: written while the clock ran ahead, by {ahead}"


def _add(runs: list[_Run], event: Event, ahead_us: int) -> None:
    if not runs or runs[-1].first != event.version + 1:
        runs.append(_Run(event.version, ahead_us))
    runs[-1].first = event.version
    runs[-1].ahead_us = max(runs[-1].ahead_us, ahead_us)
