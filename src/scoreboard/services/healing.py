"""The one loop that brings a copy up to the store's version.

Start-up, a crash between commit and apply, an apply that found a gap, a flushed copy, another process that wrote to the
store: all the same. Once a second the versions are compared, so a lost notification costs a second at the most.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

import structlog

from scoreboard.domain.errors import RankingUnavailable, StoreUnavailable
from scoreboard.domain.events import Head
from scoreboard.domain.standings import Change
from scoreboard.ports.observer import NULL_OBSERVER, Observer
from scoreboard.ports.ranking import Applied, Progress, Ranking
from scoreboard.ports.store import Store
from scoreboard.resilience.background_loop import BackgroundLoop
from scoreboard.resilience.coalescing_cache import CoalescingCache
from scoreboard.resilience.failures import Failures
from scoreboard.services.minimum_version import MinimumVersions

PAGE_SIZE: Final = 2_000
"""Standings a page: some ten milliseconds of work for the event loop, and twenty for Redis. Nobody waits longer."""

INTERVAL_SECONDS: Final = 1.0
"""How often the versions are compared."""

PAUSE_SECONDS: Final = 0.2
"""At least between two comparisons, however often one is asked for. Anybody can ask, by a stream with a `Last-Event-ID`
that is ahead, and each comparison asks ranking and store about each board: a flood costs them five a second. A browser
that really is ahead waits no longer than this."""

START_SECONDS: Final = 0.5
"""How long a start waits for copies: those of some ten thousand players are filled by then."""

ELSEWHERE_SECONDS: Final = 0.25
"""How long to leave a copy alone that another process is filling. Where it stops moving, it is taken over."""

PAGES_A_LINE: Final = 50
"""A line of the log for so many pages of a long fill."""

log = structlog.get_logger()


class Healing:
    """Keeps the copies of the boards at the store's version."""

    def __init__(
        self, store: Store, ranking: Ranking, boards: tuple[str, ...], observer: Observer = NULL_OBSERVER
    ) -> None:
        self._observer = observer
        self._failures = Failures("healing", observer)
        self._store = store
        self._ranking = ranking
        self._boards = boards
        self._one_at_a_time: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._comparing = CoalescingCache(self._compare_all, pause_seconds=PAUSE_SECONDS)
        self.loop = BackgroundLoop("healing", self._tick, observer)
        self.lost: frozenset[str] = frozenset()
        """The partners that could not be reached when the versions were last compared."""
        self.minimum = MinimumVersions()
        """The lowest version of a page that may be served. Polled each second for corrections of other processes."""
        self._missing: dict[str, int] = {}

    @property
    def lag(self) -> int:
        """How many versions the copy lacks that is furthest behind its store, as far as is known."""
        return max(self._missing.values(), default=0)

    async def prepare(self) -> None:
        """Fill what can be filled soon, so that the first score knows its rank already."""
        with self._failures.catch(), suppress(TimeoutError, StoreUnavailable, RankingUnavailable):
            async with asyncio.timeout(START_SECONDS):
                for board in self._boards:
                    await self.heal(board)

    async def _tick(self) -> float:
        await self._comparing.get()
        return INTERVAL_SECONDS

    async def catch_up(self) -> None:
        """Compare and heal all boards now, or return after a second if that takes longer."""
        with suppress(TimeoutError):
            async with asyncio.timeout(INTERVAL_SECONDS):
                await self._comparing.get()

    async def _compare_all(self) -> None:
        """Compare and heal all boards, and find out which servers are unavailable."""
        lost: set[str] = set()
        for board in self._boards:
            with self._failures.catch(board=board):
                lost |= await self._lost_partners(board)
        with self._failures.catch():
            lost |= await self._unwritable_partners()
        if self.lost != lost:
            if lost:
                log.warning("servers unavailable", servers=sorted(lost))
            else:
                log.info("all servers are available again")
            self.lost = frozenset(lost)

    async def _lost_partners(self, board: str) -> set[str]:
        """Repair a board. Return the servers that did not answer or refuse writes."""
        try:
            await self.heal(board)
        except StoreUnavailable:
            return {"store"}
        except RankingUnavailable:
            # The ranking is queried first, so the state of the store is not known yet.
            return {"ranking"} if await self._store_answers() else {"ranking", "store"}
        return set() if self._store.takes_writes else {"store"}

    async def _unwritable_partners(self) -> set[str]:
        """Return the store if it refuses writes, even if it answers reads."""
        try:
            await self._store.check_writes()
        except StoreUnavailable:
            return {"store"}
        return set()

    async def _heads(self) -> Mapping[str, Head]:
        heads = await self._store.heads()
        for board, head in heads.items():
            self.minimum.corrected(board, head.corrected_version)
        return heads

    async def _store_answers(self) -> bool:
        try:
            await self._heads()
        except StoreUnavailable:
            return False
        return self._store.takes_writes

    async def close_gap(self, change: Change, applied: Applied) -> bool:
        """What to do about a commit that found a gap before it; whether the copy has the commit now.

        A small gap is another process's commit that comes a moment later than this one: it is closed at once. A copy
        that is being filled, or misses much, is left to the loop: nobody's answer waits for that.
        Raises StoreUnavailable, RankingUnavailable.
        """
        if applied.readable and change.to_version - applied.version <= PAGE_SIZE:
            await self.heal(change.board)
            return True
        self.loop.wake()
        return False

    async def heal(self, board: str) -> None:
        """Return when the copy is readable and at the version that the store had when it was asked, or later.

        Raises StoreUnavailable, RankingUnavailable.
        """
        async with self._one_at_a_time[board]:
            progress, head, is_copy = await self._compare(board)
            if not is_copy:
                # All instances share the copy. An instance that is connected to a replaced server must not drop it.
                self._store.reconnect()
                progress, head, is_copy = await self._compare(board)
            if not is_copy:
                log.warning("the store has another history than the copy: filling it anew", board=board)
                self.minimum.restart(board, head.corrected_version)
                await self._ranking.drop(board)
                progress = await self._ranking.progress(board)
            await self._fill(board, progress, head.version)

    async def _compare(self, board: str) -> tuple[Progress, Head, bool]:
        """Return the positions of copy and store, and whether both have the same history.

        Raises StoreUnavailable, RankingUnavailable.
        """
        progress = await self._ranking.progress(board)
        head = (await self._heads()).get(board)
        if head is None:
            # A backup from before this board was created was restored. A restart creates its row.
            raise StoreUnavailable
        # The copy's progress was read first. If it is ahead, the store has really gone back.
        is_copy = progress.version <= head.version and await self.is_of_this_history(board, progress, head)
        return progress, head, is_copy

    async def is_of_this_history(self, board: str, progress: Progress, head: Head) -> bool:
        """Whether the copy's newest event is the store's too; after a restored backup it may be another one.

        Raises StoreUnavailable.
        """
        if not progress.readable or progress.version == 0:
            return True
        if progress.version == head.version:
            return progress.at_us == head.reading_us
        events = await self._store.events(board, progress.version - 1, 1)
        return bool(events) and events[0].reading_us == progress.at_us

    async def _fill(self, board: str, progress: Progress, version: int) -> None:
        """Page after page, up to a version; beside another process that does the same, only one of them."""
        healed = pages = 0
        while not progress.readable or progress.version < version:
            self._missing[board] = max(0, version - progress.version)
            change = await self._store.changes(board, progress.version, PAGE_SIZE)
            if change.to_version < progress.version:
                # The store has gone back meanwhile: the next comparison sees it.
                raise StoreUnavailable
            applied = await self._ranking.apply(change, progress.copy)
            if applied.moved:
                healed += len(change.standings)
                pages += 1
                if pages % PAGES_A_LINE == 0:
                    log.info("filling the ranking", board=board, version=change.to_version, of=version)
            progress = await self._ranking.progress(board)
            if not applied.moved:
                progress = await self._leave_alone(board, progress)
        self._missing[board] = 0
        if pages:
            self._observer.healed(healed)
        if pages > 1:
            log.info("the ranking has caught up", board=board, standings=healed, version=progress.version)

    async def _leave_alone(self, board: str, progress: Progress) -> Progress:
        """Wait as long as another process is filling the copy; where it is then."""
        while not progress.readable:
            await asyncio.sleep(ELSEWHERE_SECONDS)
            before, progress = progress, await self._ranking.progress(board)
            if progress == before:
                break
        return progress
