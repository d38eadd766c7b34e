"""Changes to the ranking: commits are applied in order, and gaps to the store are healed."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Final

import structlog

from scoreboard.domain.decisions import Decision
from scoreboard.domain.errors import RankingUnavailable, StoreUnavailable
from scoreboard.domain.events import Head
from scoreboard.domain.standings import Change
from scoreboard.ports.observer import NULL_OBSERVER, Observer
from scoreboard.ports.ranking import ApplyResult, CopyState, Ranking
from scoreboard.ports.store import Store
from scoreboard.services.minimum_versions import MinimumVersions

PAGE_SIZE: Final = 2_000
"""Standings per page: about 10 ms of work for the event loop and 20 ms for Redis, which delay other calls."""

OTHER_PROCESS_SECONDS: Final = 0.25
"""Interval of checks of a copy that another process fills. If it does not grow, this process continues."""

PAGES_PER_LOG_LINE: Final = 50

Positions = tuple[CopyState, Head]
"""The state of a board's copy, and the board's head, which was read after it."""

log = structlog.get_logger()


class Applier:
    """Brings each board's copy in the ranking to the version of the store.

    A commit is one step of a copy. A copy that lacks earlier commits has a gap. Healing closes it: it reads
    the standings that changed after the copy's version, page by page, and applies them.
    """

    def __init__(
        self,
        store: Store,
        ranking: Ranking,
        minimum: MinimumVersions | None = None,
        observer: Observer = NULL_OBSERVER,
    ) -> None:
        """`minimum` has the corrections that this process knows of; none in a command."""
        self._store = store
        self._ranking = ranking
        self._minimum = minimum or MinimumVersions()
        self._observer = observer
        self._one_at_a_time = asyncio.Lock()
        self._heal_locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._missing: dict[str, int] = {}
        self.heads: Mapping[str, Head] = {}
        """The heads of all boards when they were last read: usually within the last second."""
        self.large_gap = asyncio.Event()
        """Set when a commit found a gap that is too large to heal before its submissions are answered."""

    @property
    def lag(self) -> int:
        """The number of versions that the copy furthest behind still lacks, as far as healing has seen."""
        return max(self._missing.values(), default=0)

    async def apply(self, decision: Decision) -> Mapping[tuple[str, int], int]:
        """Apply a commit. Return the known ranks of its players after it, by period and integer key.

        Calls are processed in their order. If the ranking is unavailable, the change is left to healing.
        """
        ranks: dict[tuple[str, int], int] = {}
        clock = asyncio.get_running_loop().time
        async with self._one_at_a_time:
            for change in decision.changes:
                started = clock()
                with suppress(RankingUnavailable, StoreUnavailable):
                    result = await self._ranking.apply(change)
                    if result.version < change.to_version and await self._close_gap(change, result):
                        result = await self._ranking.apply(change)
                    ranks.update(result.ranks)
                    self._observer.applied(clock() - started)
        return ranks

    async def apply_correction(self, decision: Decision) -> None:
        """Apply a correction. No older pages are served from now on, even if the ranking is unavailable."""
        self.refuse_older_pages(decision)
        await self.apply(decision)

    def refuse_older_pages(self, decision: Decision) -> None:
        """Refuse to serve pages from before a decision, which may be of a correction that was committed."""
        for change in decision.changes:
            self._minimum.increase(change.board, change.to_version)

    async def _close_gap(self, change: Change, result: ApplyResult) -> bool:
        """Heal the board if that is quick. Return True if it was healed.

        A small gap is mostly a commit that another process has not applied yet, so it is healed at once. A
        copy that is not readable, or lacks a lot, is healed in the background.
        """
        if result.readable and change.to_version - result.version <= PAGE_SIZE:
            await self.heal(change.board)
            return True
        self.large_gap.set()
        return False

    async def find_behind(self, boards: Collection[str]) -> Mapping[str, Positions | None]:
        """Compare all copies with the store, with one query of each. Return those to be healed.

        The positions of a copy that could not be read are None. Raises StoreUnavailable.
        """
        copies = await self._ranking.copy_states(boards)
        heads = await self._read_heads()
        behind: dict[str, Positions | None] = {}
        for board in boards:
            copy, head = copies.get(board), heads.get(board)
            if copy is None or head is None:
                behind[board] = None
            elif copy.readable and (copy.version, copy.reading_us) == (head.version, head.reading_us):
                self._missing[board] = 0
            else:
                behind[board] = copy, head
        return behind

    async def heal(self, board: str, positions: Positions | None = None) -> None:
        """Bring a copy to the version that the store has now, or a later one, and make it readable.

        `positions` are those of `find_behind`. A copy of another history than the store's is dropped and
        filled again. Raises StoreUnavailable, RankingUnavailable.
        """
        async with self._heal_locks[board]:
            copy, head, has_same_history = await self._compare(board, positions)
            if not has_same_history:
                # All instances share the copy. An instance that is connected to a replaced server must not
                # drop it.
                self._store.reconnect()
                copy, head, has_same_history = await self._compare(board)
            if not has_same_history:
                log.warning(
                    "the store has another history than the ranking: filling the board again", board=board
                )
                self._minimum.reset(board, head.corrected_version)
                await self._ranking.drop(board)
                copy = await self._ranking.copy_state(board)
            await self._fill(board, copy, head.version)

    async def _compare(self, board: str, positions: Positions | None = None) -> tuple[CopyState, Head, bool]:
        """Return the positions of copy and store, and whether both have the same history.

        Raises StoreUnavailable, RankingUnavailable.
        """
        copy, head = positions or await self._read_positions(board)
        # The copy's state was read first. If it is ahead, the store has really gone back.
        has_same_history = copy.version <= head.version and await self.is_same_history(board, copy, head)
        return copy, head, has_same_history

    async def _read_positions(self, board: str) -> Positions:
        copy = await self._ranking.copy_state(board)
        head = (await self._read_heads()).get(board)
        if head is None:
            # A backup from before this board was created was restored. A restart creates its row.
            raise StoreUnavailable
        return copy, head

    def known_version(self, board: str) -> int | None:
        """Return a board's version when the heads were last read, or None if it is unknown."""
        head = self.heads.get(board)
        return None if head is None else head.version

    async def _read_heads(self) -> Mapping[str, Head]:
        self.heads = await self._store.heads()
        self._minimum.update(self.heads)
        return self.heads

    async def is_same_history(self, board: str, copy: CopyState, head: Head) -> bool:
        """Return True if the copy's newest event is in the store. After a backup was restored, it may not be.

        Raises StoreUnavailable.
        """
        if not copy.readable or copy.version == 0:
            return True
        if copy.version == head.version:
            return copy.reading_us == head.reading_us
        events = await self._store.events(board, copy.version - 1, 1)
        return bool(events) and events[0].reading_us == copy.reading_us

    async def _fill(self, board: str, copy: CopyState, version: int) -> None:
        """Apply page after page, up to a version. If another process does the same, one of the two waits."""
        healed = pages = 0
        while not copy.readable or copy.version < version:
            self._missing[board] = max(0, version - copy.version)
            change = await self._store.changes(board, copy.version, PAGE_SIZE)
            if change.to_version < copy.version:
                # The store has gone back meanwhile. The next comparison finds that out.
                raise StoreUnavailable
            result = await self._ranking.apply(change, copy.copy_id)
            if result.moved:
                healed += len(change.standings)
                pages += 1
                if pages % PAGES_PER_LOG_LINE == 0:
                    log.info("filling the ranking", board=board, version=change.to_version, of=version)
            copy = await self._ranking.copy_state(board)
            if not result.moved:
                copy = await self._wait_for_other_process(board, copy)
        self._missing[board] = 0
        if pages:
            self._observer.healed(healed)
        if pages > 1:
            log.info("the ranking is up to date", board=board, standings=healed, version=copy.version)

    async def _wait_for_other_process(self, board: str, copy: CopyState) -> CopyState:
        """Wait while another process is filling the copy. Return the state of the copy afterwards."""
        while not copy.readable:
            await asyncio.sleep(OTHER_PROCESS_SECONDS)
            before, copy = copy, await self._ranking.copy_state(board)
            if copy == before:
                break
        return copy
