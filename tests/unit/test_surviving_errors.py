"""Background work continues after every error, and logs it."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AsyncExitStack
from typing import Never

import uvicorn

from scoreboard.domain.boards import Board
from scoreboard.domain.standings import Snapshot
from scoreboard.fanout.board_cache import BoardCache
from scoreboard.fanout.encoding import Message, encode_board
from scoreboard.fanout.hub import TICK_SECONDS, Hub
from scoreboard.fanout.publisher import REFRESH_SECONDS, Publisher
from scoreboard.fanout.ring import STALLED_SECONDS
from scoreboard.fanout.stream_view import StreamView
from scoreboard.fanout.subscriber import StreamRequest, Subscriber
from scoreboard.ports.ranking import CopyState
from scoreboard.ranking.memory import MemoryRanking
from scoreboard.resilience.background_loop import BackgroundLoop
from scoreboard.server.http_server import LimitedServer
from scoreboard.server.protocol import HttpProtocol
from scoreboard.services.apply import Applier
from scoreboard.services.heal import Healer
from scoreboard.services.minimum_versions import MinimumVersions
from scoreboard.store.postgresql.prober import Prober
from scoreboard.store.sqlite.store import SqliteStore
from tests.limits import LIMIT_SECONDS
from tests.making import DEFINITIONS, VISIT, commit, submission
from tests.service import CountedFailures
from tests.virtual_time import run


def snapshot(board: str, version: int) -> Snapshot:
    return Snapshot(board, version, reading_us=version, players=0, entries=())


def test_a_board_that_cannot_be_read_does_not_delay_the_others() -> None:
    hub = Hub(["broken", "good"])
    boards = {board: Board(board, board) for board in ("broken", "good")}
    reads = dict.fromkeys(boards, 0)

    async def read(board: str, _limit: int, _offset: int, _period: str) -> Snapshot:
        reads[board] += 1
        if board == "broken":
            raise TypeError("int() argument must be a string")
        return snapshot(board, reads[board])

    async def changes() -> AsyncIterator[str]:
        for board in ("broken", "good", "broken", "good"):
            yield board
            await asyncio.sleep(1)
        await asyncio.Event().wait()

    async def main() -> None:
        publisher = Publisher(BoardCache(read, boards), hub, ("broken", "good"))
        for board in ("broken", "good"):
            hub.join(Watcher(StreamRequest(StreamView(board))))
        async with AsyncExitStack() as stack:
            for loop in (*publisher.loops, BackgroundLoop("follow", lambda: publisher.follow(changes()))):
                await stack.enter_async_context(loop)
            await asyncio.sleep(3.5 * REFRESH_SECONDS)

    run(main())
    # One read a second, and one for each hint.
    assert min(reads.values()) >= 6


class Watcher(Subscriber):
    def write(self, message: Message) -> None:
        pass

    def close(self, last: Message | None) -> None:
        pass


class Unclosable(Subscriber):
    def write(self, message: Message) -> None:
        self.is_behind = True

    def close(self, last: Message | None) -> None:
        raise RuntimeError("unable to perform operation on <TCPTransport closed=True>")


def test_a_stream_that_cannot_be_closed_does_not_delay_the_others() -> None:
    hub = Hub(["main", "side"])

    async def main() -> None:
        for board in ("main", "side"):
            hub.publish(encode_board(snapshot(board, 1)))
            for _ in range(2):
                hub.join(Unclosable(StreamRequest(StreamView(board))))
        async with hub.loop:
            await asyncio.sleep(STALLED_SECONDS + 5 * TICK_SECONDS)

    run(main())
    assert (hub.streams, hub.counts.stalled) == (0, 4)


def test_the_prober_continues_after_a_connection_that_cannot_be_closed() -> None:
    cut_off = asyncio.Event()

    async def no_answer() -> Never:
        await asyncio.Event().wait()
        raise AssertionError

    def fail() -> None:
        raise RuntimeError("unable to perform operation on <TCPTransport closed=True>")

    async def main() -> None:
        async with Prober(no_answer, lambda: 0.5) as prober:
            prober.watch(fail)
            prober.watch(cut_off.set)
            await asyncio.wait_for(cut_off.wait(), 10)

    run(main())


class OddOnce(MemoryRanking):
    """Answers once, about one board, in a way that makes no sense."""

    def __init__(self) -> None:
        super().__init__(DEFINITIONS)
        self.odd = 0

    async def copy_state(self, board: str) -> CopyState:
        if board == "main" and not self.odd:
            self.odd += 1
            raise ValueError("invalid literal for int() with base 10: b'x'")
        return await super().copy_state(board)

    async def copy_states(self, boards: Collection[str]) -> Mapping[str, CopyState]:
        """Leave out the board, as a driver does with a state that it cannot read."""
        states = await super().copy_states(boards)
        return states if self.odd else {board: states[board] for board in states if board != "main"}


async def test_a_copy_with_an_invalid_answer_is_healed_later_and_the_others_at_once(
    store: SqliteStore,
) -> None:
    observer, minimum = CountedFailures(), MinimumVersions()
    await commit(store, submission("ada"), submission("bob", VISIT))
    async with OddOnce() as ranking:
        applier = Applier(store, ranking, minimum, observer)
        healer = Healer(store, applier, minimum, ("main", "side"), observer)
        # The server starts nevertheless.
        await healer.prepare()
        assert observer.failures == ["healing"]
        ranking.odd = 0
        async with healer.loop, asyncio.timeout(LIMIT_SECONDS):
            for board in ("side", "main"):
                while (await ranking.copy_state(board)).version != 1:
                    await healer.catch_up()
        assert observer.failures == ["healing"] * 2


class Unchecked(HttpProtocol):
    """A connection that fails whenever its limits are checked."""

    def __init__(self, checked: list[float]) -> None:
        self._checked = checked

    def refuse_if_slow(self, now: float) -> None:
        self._checked.append(now)
        raise RuntimeError("unable to perform operation on <TCPTransport closed=True>")


async def test_a_connection_whose_limits_cannot_be_checked_does_not_stop_the_server() -> None:
    server, checked = LimitedServer(uvicorn.Config(lambda: None)), list[float]()
    server.server_state.connections.update(Unchecked(checked) for _ in range(2))
    assert not await server.on_tick(0)
    assert len(checked) == 2
