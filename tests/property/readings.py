"""Comparisons of everything that can be read of a board with the plain model."""

import json
from collections.abc import Sequence
from fractions import Fraction
from math import ceil

from scoreboard.domain.boards import ALL_TIME, Board
from scoreboard.domain.queries import Page
from scoreboard.domain.standings import Entry, Snapshot
from scoreboard.fanout.stream_view import StreamView
from scoreboard.services.board_periods import View
from tests.history.watchers import read_snapshot
from tests.plain_board import PlainBoard, Row
from tests.property.processes import Process
from tests.subscribers import Watcher

ALL_ROWS = Page(100)


def _rows(entries: Sequence[Entry]) -> list[Row]:
    return [
        Row(entry.rank, entry.user_id, (entry.score, *entry.columns), entry.reached_at_us)
        for entry in entries
    ]


def _check(snapshot: Snapshot, model: PlainBoard, rows: Sequence[Row] | None = None) -> None:
    """Check that a snapshot is the board after its version, or has these of its rows."""
    every = model.rows(snapshot.period, snapshot.version)
    expected = every if rows is None else rows
    assert _rows(snapshot.entries) == list(expected), (snapshot.period, snapshot.version)
    assert snapshot.players == len(every)
    at_us = model.events[snapshot.version - 1].reading_us if snapshot.version else 0
    assert snapshot.reading_us == at_us


async def check_store(process: Process, board: Board, model: PlainBoard) -> None:
    """Check each period, also those that are over, in the store."""
    opened = {ALL_TIME, *model.opened().values()}
    for period in model.periods:
        snapshot = await process.store.read(board.id, period, ALL_ROWS)
        version = model.version if period in opened else model.last_change(period, model.version)
        assert (snapshot.period, snapshot.version) == (period, version)
        _check(snapshot, model)


async def check_public(process: Process, board: Board, model: PlainBoard, *, at_least: int) -> None:
    """Check the pages and streams of open periods: each one is the board after an exact version."""
    for kind in (ALL_TIME, *board.definition.periods):
        page = (await process.cache.page(board.id, 100, 0, kind)).body.decode()
        frame = await _first_frame(process, StreamView(board.id, kind))
        for body, limit in ((page, 100), (frame, board.rows)):
            snapshot = read_snapshot(body)
            assert at_least <= snapshot.version <= model.version
            if snapshot.version:
                opened = model.opened(snapshot.version)
                assert snapshot.period == opened.get(kind, ALL_TIME)
            _check(snapshot, model, model.rows(snapshot.period, snapshot.version)[:limit])


async def _first_frame(process: Process, view: StreamView) -> str:
    """Return the board that a new stream begins with."""
    process.hub.open(view)
    await process.publisher.publish(view)
    watcher = Watcher(view=view)
    process.hub.join(watcher)
    process.hub.leave(watcher)
    (first,) = watcher.got
    fields = dict(line.split(": ", 1) for line in first.plain.decode().splitlines() if line)
    assert fields["id"] == str(json.loads(fields["data"])["version"])
    return fields["data"]


async def check_reads(process: Process, board: Board, model: PlainBoard, users: Sequence[str]) -> None:
    """Check all questions about all periods. No change is missing in the ranking."""
    opened = model.opened()
    for period in {ALL_TIME, *opened.values()}:
        _check(await process.ranking.read(board.id, period, ALL_ROWS), model)
    for asked in (*sorted(model.periods), *opened):
        view = await process.queries.view(board, asked)
        period = opened.get(asked, asked)
        is_open = period in {ALL_TIME, *opened.values()}
        assert view.is_over is not is_open
        version = model.version if is_open else model.last_change(period, model.version)
        await _PeriodReads(process, view, model, period, version).check(users)


class _PeriodReads:
    """The reads of one period at one version."""

    def __init__(self, process: Process, view: View, model: PlainBoard, period: str, version: int) -> None:
        self._process = process
        self._view = view
        self._model = model
        self._of = period, version
        self._rows = model.rows(period, version)

    async def check(self, users: Sequence[str]) -> None:
        await self._check_pages()
        for user in users:
            await self._check_player(user)
        self._check(await self._process.queries.players(self._view, [*users, "nobody"]), self._rows)
        await self._check_cutoffs()

    def _check(self, snapshot: Snapshot, rows: Sequence[Row]) -> None:
        assert (snapshot.period, snapshot.version) == self._of
        _check(snapshot, self._model, rows)

    async def _check_pages(self) -> None:
        position: tuple[int, ...] | None = None
        for offset in range(0, len(self._rows) + 2, 2):
            rows = self._rows[offset : offset + 2]
            frame = await self._process.cache.page(self._view.board.id, 2, offset, self._view.period)
            self._check(read_snapshot(frame.body.decode()), rows)
            following = await self._process.queries.after(self._view, position, 2)
            self._check(following, rows)
            if not rows:
                break
            position = following.entries[-1].position

    async def _check_player(self, user: str) -> None:
        index = next((index for index, row in enumerate(self._rows) if row.user_id == user), None)
        around = await self._process.queries.around(self._view, user, 3)
        found = await self._process.queries.rank(self._view, user, 1)
        if index is None:
            self._check(around, ())
            self._check(found.snapshot, self._rows[-1:])
            assert (found.entry, _rows(found.above), found.below) == (None, self._rows[-1:], ())
            return
        first = max(0, min(index - 1, len(self._rows) - 3))
        self._check(around, self._rows[first : first + 3])
        self._check(found.snapshot, _at(self._rows, found.snapshot))
        better = [row for row in self._rows if row.rank < self._rows[index].rank]
        assert found.entry is not None
        assert _rows([found.entry]) == [self._rows[index]]
        assert _rows(found.above) == self._rows[max(0, index - 1) : index]
        assert _rows(found.below) == self._rows[index + 1 : index + 2]
        assert _rows([found.next] if found.next else []) == better[-1:]

    async def _check_cutoffs(self) -> None:
        ranks, percents = (1, 2, 4), (Fraction(50), Fraction(100))
        cutoffs = await self._process.queries.cutoffs(self._view, ranks, percents)
        assert (cutoffs.snapshot.period, cutoffs.snapshot.version) == self._of
        for rank, entry in cutoffs.ranks:
            assert _rows([entry] if entry else []) == self._rows[rank - 1 : rank]
        for percent, rank, entry in cutoffs.percents:
            assert rank == ceil(len(self._rows) * percent / 100)
            assert _rows([entry] if entry else []) == self._rows[rank - 1 : rank] if rank else entry is None
        assert [rank for rank, _ in cutoffs.ranks] == list(ranks)


def _at(rows: Sequence[Row], snapshot: Snapshot) -> Sequence[Row]:
    """Return the rows of the players of a snapshot."""
    shown = {entry.user_id for entry in snapshot.entries}
    return [row for row in rows if row.user_id in shown]
