"""The ranking in Redis 7 or newer: one ordered copy that many processes share.

Each call is one script, which Redis runs as one step (`lua/`). Only in a cluster, which keeps each board in a place of
its own, lies elsewhere who the players of all boards are: that is written before a board and read after it, in calls of
their own, so a board never shows somebody unknown. A copy of which a part was lost is dropped, and filled anew.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from importlib.resources import files
from typing import Any, Final, Self
from uuid import uuid4

import structlog
from redis.asyncio import Redis, RedisCluster

from scoreboard.domain.errors import RankingUnavailable
from scoreboard.domain.standings import Change, Entry, Snapshot, Standing
from scoreboard.ports.ranking import Applied, Progress
from scoreboard.ranking.changed_boards import ChangedBoards
from scoreboard.ranking.redis.connection import (
    FAILURES,
    PROBE_KEPT_MS,
    PROBE_SECONDS,
    WAIT_FOR_CONNECTION_SECONDS,
    Limits,
    check,
    disconnect,
)
from scoreboard.ranking.redis.keys import BoardKeys, names_key, names_probe
from scoreboard.ranking.redis.servers import RedisServers, follow_primary
from scoreboard.ranking.redis.subscription import Subscription
from scoreboard.resilience.background_loop import BackgroundLoop
from scoreboard.resilience.circuit_breaker import CircuitBreaker
from scoreboard.resilience.coalescing_cache import CoalescingCache
from scoreboard.settings.redis_url import parse_address

SCRIPTS: Final = ("apply", "page", "rank", "drop", "keep_names", "names", "drop_names")

ANY_COPY: Final = "*"
LOST: Final = 0
"""Words of the scripts' own."""

KEPT_PAGES: Final = 256
"""Different pages whose readers may share a reading (~1 KB each)."""

log = structlog.get_logger()


class RedisRanking:
    """`interfaces.Ranking` in Redis, under keys that begin with a prefix; `changed` names the given boards."""

    def __init__(
        self,
        url: str,
        boards: Iterable[str],
        *,
        prefix: str,
        is_cluster: bool,
        limits: Limits,
        sentinel_password: str | None = None,
    ) -> None:
        self._servers = RedisServers(parse_address(url), limits, is_cluster, sentinel_password)
        self._boards = tuple(boards)
        self._prefix = prefix
        self._names = names_key(prefix)
        self._is_cluster = is_cluster
        self._limits = limits
        self._process = uuid4().hex
        self._changed_boards = ChangedBoards()
        self._pages: dict[tuple[str, int, int], CoalescingCache[Snapshot]] = {}
        # The cluster's client raises where all connections are busy, instead of waiting.
        self._connections = asyncio.Semaphore(limits.connections)
        self._in_use = 0
        self._breakers: dict[str | None, CircuitBreaker] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Raises StartError where the server refuses us or is too old."""
        client = self._servers.client()
        self._stack.push_async_callback(client.aclose)
        self._client = client
        self._scripts = {name: client.register_script(_source(name)) for name in SCRIPTS}
        try:
            await check(client, self._limits.silence_seconds)
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._stack.aclose()

    async def progress(self, board: str) -> Progress:
        head, *_ = self._keys(board).copy
        async with self._asking(board):
            found = await self._client.hmget(head, "version", "readable", "at_us", "copy")
        version, readable, at_us, copy = (
            part.decode() if isinstance(part, bytes) else part or "" for part in found
        )
        return Progress(int(version or 0), readable == "1", int(at_us or 0), copy)

    async def apply(self, change: Change, copy: str | None = None) -> Applied:
        board = change.board
        what: list[str | int] = [str(change.kind), change.from_version, change.to_version, change.at_us]
        what += (self._keys(board).changed, ANY_COPY if copy is None else copy, uuid4().hex)
        for standing in change.standings:
            what += _row(standing)
        async with self._asking(board):
            if self._is_cluster and change.standings:
                await self._run(
                    "keep_names", [self._names], [part for one in change.standings for part in _name(one)]
                )
            version, readable, moved, *ranks = await self._run("apply", self._places(board), what)
        players = (standing.player for standing in change.standings)
        return Applied(
            version=version,
            readable=bool(readable),
            moved=bool(moved),
            ranks={player: rank for player, rank in zip(players, ranks, strict=False) if rank},
        )

    async def page(self, board: str, limit: int, offset: int) -> Snapshot:
        place = (board, limit, offset)
        if place not in self._pages:
            if len(self._pages) >= KEPT_PAGES:
                self._pages.clear()
            self._pages[place] = CoalescingCache(partial(self._page, board, limit, offset))
        return await self._pages[place].get()

    async def _page(self, board: str, limit: int, offset: int) -> Snapshot:
        async with self._asking(board):
            found = await self._run("page", self._places(board), [offset, offset + limit - 1])
            if not found:
                if found == LOST:
                    log.warning("a part of a board was lost: filling it anew", board=board)
                raise RankingUnavailable
            version, at_us, players, shown, scores, reached_ats_us, names = found
            if self._is_cluster and shown:
                names = await self._run("names", [self._names], shown)
        if None in names:
            log.warning("who is on a board was lost: filling it anew", board=board)
            await self._forget(board)
            raise RankingUnavailable
        return Snapshot(
            board=board,
            version=int(version),
            at_us=int(at_us),
            players=int(players),
            entries=tuple(
                Entry(rank, *_user_id_and_name(name), -int(score), int(reached_at_us))
                for rank, (name, score, reached_at_us) in enumerate(
                    zip(names, scores, reached_ats_us, strict=True), start=offset + 1
                )
            ),
        )

    async def rank(self, board: str, player: int) -> int | None:
        async with self._asking(board):
            rank = await self._run("rank", self._keys(board).copy, [player])
        if rank is None:
            raise RankingUnavailable
        return int(rank) or None

    async def drop(self, board: str) -> None:
        # A restored backup may give a player's key to somebody else.
        async with self._asking(board):
            await self._run("drop_names", [self._names], [])
        await self._forget(board)

    async def _forget(self, board: str) -> None:
        async with self._asking(board):
            await self._run("drop", self._keys(board).copy, [])

    async def changed_boards(self) -> AsyncIterator[str]:
        async with AsyncExitStack() as stack:
            for subscription in self._subscriptions():
                await stack.enter_async_context(BackgroundLoop("subscription", subscription.tick))
            async for board in self._changed_boards.follow():
                yield board

    def _subscriptions(self) -> list[Subscription]:
        """One, or in a cluster one a board: each board has its place there."""
        places = [(board,) for board in self._boards] if self._is_cluster else [self._boards]
        return [
            Subscription(
                connect=partial(self._connect, self._keys(boards[0]).changed),
                boards={self._keys(board).changed: board for board in boards},
                probe=self._keys(boards[0]).probe(self._process),
                has_moved=self._has_moved,
                changed=lambda board: self._changed_boards.add((board,)),
            )
            for boards in places
        ]

    async def _has_moved(self, client: Redis) -> bool:
        await follow_primary(self._client)
        return await follow_primary(client)

    async def _connect(self, channel: str) -> Redis:
        """A client, for a subscription alone, of the server that has a channel."""
        if not isinstance(self._client, RedisCluster):
            return self._servers.subscriber()
        # Where the channel has moved, this finds out.
        async with asyncio.timeout(self._limits.silence_seconds):
            await self._client.spublish(channel, "")
        node = self._client.get_node_from_key(channel)
        assert node is not None
        return self._servers.subscriber((str(node.host), int(node.port)))

    def _keys(self, board: str) -> BoardKeys:
        return BoardKeys(self._prefix, board)

    def _places(self, board: str) -> tuple[str, ...]:
        """The keys of a board's copy, and those of the names where they lie on the same server."""
        copy = self._keys(board).copy
        return copy if self._is_cluster else (*copy, self._names)

    @asynccontextmanager
    async def _asking(self, board: str) -> AsyncIterator[None]:
        """Limit the wait for answers. Fail at once while the circuit breaker is open.

        The wait for a free connection has a separate limit, and does not count as a failure of the server.
        Raises RankingUnavailable.
        """
        breaker = self._breaker(board)
        if breaker.is_open:
            raise RankingUnavailable
        await self._take_connection()
        try:
            if breaker.is_open:
                raise RankingUnavailable
            async with asyncio.timeout(self._limits.silence_seconds):
                yield
        except FAILURES as error:
            breaker.open(str(error) or type(error).__name__)
            raise RankingUnavailable from error
        finally:
            self._in_use -= 1
            self._connections.release()

    async def _take_connection(self) -> None:
        try:
            async with asyncio.timeout(WAIT_FOR_CONNECTION_SECONDS):
                await self._connections.acquire()
        except TimeoutError:
            raise RankingUnavailable from None
        self._in_use += 1

    def pools(self) -> Mapping[str, tuple[int, int]]:
        return {"redis": (self._in_use, self._limits.connections)}

    def _breaker(self, board: str) -> CircuitBreaker:
        """Return the breaker of all boards, or in a cluster, where only a part may be unreachable, of one board."""
        place = board if self._is_cluster else None
        if place not in self._breakers:
            breaker = CircuitBreaker(
                "Redis", retry_seconds=PROBE_SECONDS, probe=partial(self._probe, board), on_close=self._back
            )
            self._breakers[place] = breaker
            self._stack.push_async_callback(breaker.stop)
        return self._breakers[place]

    async def _probe(self, board: str) -> bool:
        """Return True if the server accepts writes."""
        try:
            async with asyncio.timeout(self._limits.silence_seconds):
                await disconnect(self._client)
                for key in {self._keys(board).probe(self._process), names_probe(self._prefix, self._process)}:
                    await self._client.set(key, "", px=PROBE_KEPT_MS)
        except FAILURES:
            return False
        return True

    def _back(self) -> None:
        self._changed_boards.add(self._boards)

    async def _run(self, script: str, keys: Sequence[str], arguments: Sequence[str | int]) -> Any:
        return await self._scripts[script](keys=keys, args=arguments)


def _source(script: str) -> str:
    folder = files("scoreboard.ranking.redis") / "lua"
    return (folder / "layout.lua").read_text() + (folder / f"{script}.lua").read_text()


def _row(standing: Standing) -> tuple[str | int, ...]:
    player, seq, who = _name(standing)
    return (
        player,
        -standing.score,
        standing.reached_version,
        standing.reached_at_us,
        standing.version,
        int(standing.listed),
        seq,
        who,
    )


def _name(standing: Standing) -> tuple[int, int, str]:
    who = standing.user_id if standing.name is None else f"{standing.user_id}\0{standing.name}"
    return standing.player, standing.seq, who


def _user_id_and_name(text: bytes) -> tuple[str, str | None]:
    _, user_id, *name = text.decode().split("\0")
    return user_id, name[0] if name else None
