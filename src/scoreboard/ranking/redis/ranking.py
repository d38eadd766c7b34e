"""The ranking in Redis 7 or newer: one copy of each board, which all instances share.

Each call runs one script, which Redis executes atomically (`lua/`). A cluster keeps each board on one server,
and the names of all players on another. There, names are written before a board and read after it in separate
calls, so a page never contains a player without a name. If Redis has lost a part of a copy, the whole copy is
dropped and filled again.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from functools import partial
from operator import attrgetter
from typing import Final, Self
from uuid import uuid4

import structlog
from redis.asyncio import Redis, RedisCluster

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.definitions import Definition
from scoreboard.domain.errors import RankingUnavailable
from scoreboard.domain.queries import After, Around, AtRanks, Page, Players, Query
from scoreboard.domain.standings import Change, Snapshot, Standing
from scoreboard.ports.ranking import ApplyResult, CopyState
from scoreboard.ranking.changed_boards import ChangedBoards
from scoreboard.ranking.redis.calls import RedisCalls
from scoreboard.ranking.redis.connection import RedisLimits
from scoreboard.ranking.redis.keys import BoardKeys, names_key
from scoreboard.ranking.redis.members import Members, name_text
from scoreboard.ranking.redis.servers import RedisServers, follow_primary
from scoreboard.ranking.redis.subscription import Subscription
from scoreboard.resilience.background_loop import BackgroundLoop
from scoreboard.resilience.shared_call import SharedCall
from scoreboard.settings.redis_url import parse_address

ANY_COPY: Final = "*"
LOST: Final = 0
"""Special values of the scripts."""

MAX_PAGES: Final = 256
"""Pages whose concurrent readers share one read (about 1 KB each)."""

CONSECUTIVE: Final = (Page, After, Around)
"""Queries for consecutive rows."""

Argument = str | int | bytes

log = structlog.get_logger()


class RedisRanking:
    """A `Ranking` in Redis, under keys that start with a prefix."""

    def __init__(
        self,
        url: str,
        definitions: Mapping[str, Definition],
        *,
        prefix: str,
        is_cluster: bool,
        limits: RedisLimits,
        sentinel_password: str | None = None,
    ) -> None:
        """`definitions` are those of the boards of the catalog. `changed_boards` yields only these."""
        self._servers = RedisServers(parse_address(url), limits, is_cluster, sentinel_password)
        self._boards = tuple(definitions)
        self._members = {board: Members(definition) for board, definition in definitions.items()}
        self._prefix = prefix
        self._heads = {board: self._keys(board).copy[0] for board in definitions}
        self._names = names_key(prefix)
        self._process = uuid4().hex
        self._changed_boards = ChangedBoards()
        self._pages: dict[tuple[str, str, Page], SharedCall[Snapshot]] = {}
        self._calls = RedisCalls(
            self._servers, prefix, self._process, partial(self._changed_boards.add, self._boards)
        )

    async def __aenter__(self) -> Self:
        """Raises StartError if the server refuses the connection or is too old."""
        await self._calls.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._calls.__aexit__(*exc_info)

    async def copy_state(self, board: str) -> CopyState:
        async with self._calls.guard(board):
            (found,) = await self._calls.run("states", [self._heads[board]], [])
        return _copy_state(found)

    async def copy_states(self, boards: Collection[str]) -> Mapping[str, CopyState]:
        """One call reads all heads. In a cluster, it is one call for each board."""
        groups = [(board,) for board in boards] if self._servers.is_cluster else [tuple(boards)]
        states: dict[str, CopyState] = {}
        for group in filter(None, groups):
            heads = [self._heads[board] for board in group]
            with suppress(RankingUnavailable):
                async with self._calls.guard(group[0]):
                    found = await self._calls.run("states", heads, [])
                for board, state in zip(group, found, strict=True):
                    with suppress(ValueError):
                        states[board] = _copy_state(state)
        return states

    async def apply(self, change: Change, copy_id: str | None = None) -> ApplyResult:
        board = change.board
        periods = _by_period(change)
        standings = [standing for group in periods.values() for standing in group]
        expected = ANY_COPY if copy_id is None else copy_id
        members = self._members[board]
        arguments = [*_head(change), self._keys(board).changed, expected, uuid4().hex, members.layout]
        is_all_time = change.periods == (ALL_TIME,)
        counts = (f"{period} {len(group)}" for period, group in periods.items())
        arguments.append("" if is_all_time else " ".join(counts))
        arguments += _rows(members, standings)
        async with self._calls.guard(board):
            if self._servers.is_cluster and standings:
                await self._calls.run("keep_names", [self._names], _names(standings))
            version, readable, moved, *ranks = await self._calls.run(
                "apply", self._copy_and_names(board), arguments
            )
        players = ((standing.period, standing.player) for standing in standings)
        return ApplyResult(
            version=version,
            readable=bool(readable),
            moved=bool(moved),
            ranks={player: rank for player, rank in zip(players, ranks, strict=False) if rank},
        )

    async def read(self, board: str, period: str, query: Query) -> Snapshot:
        if not isinstance(query, Page):
            return await self._read(board, period, query)
        key = (board, period, query)
        if key not in self._pages:
            if len(self._pages) >= MAX_PAGES:
                self._pages.clear()
            self._pages[key] = SharedCall(partial(self._read, board, period, query))
        return await self._pages[key].run()

    async def _read(self, board: str, period: str, query: Query) -> Snapshot:
        members_of = self._members[board]
        arguments = [members_of.layout, period, *_query(members_of, query)]
        async with self._calls.guard(board):
            found = await self._calls.run("read", self._copy_and_names(board), arguments)
            if not found:
                if found == LOST:
                    log.warning("Redis has lost a part of a board, which is filled again", board=board)
                raise RankingUnavailable
            version, reading_us, player_count, rows = found[:4]
            reached_ats_us, names, ranks, index, own_period = found[4:]
            members, scores = rows[::2], rows[1::2]
            if self._servers.is_cluster and members:
                players = [members_of.player(member) for member in members]
                names = await self._calls.run("names", [self._names], players)
        if None in names:
            log.warning("Redis has lost names of players, whose board is filled again", board=board)
            await self._forget(board)
            raise RankingUnavailable
        if members and isinstance(query, CONSECUTIVE):
            ranks = members_of.ranks(scores, members, ranks[0] if ranks else index + 1, index)
        entries = list(map(members_of.entry, ranks, scores, members, names, reached_ats_us))
        if isinstance(query, Players):
            entries.sort(key=attrgetter("position"))
        return Snapshot(
            board=board,
            version=int(version),
            reading_us=int(reading_us),
            players=int(player_count),
            entries=tuple(entries),
            period=own_period.decode(),
        )

    async def drop(self, board: str) -> None:
        # After a backup is restored, a player's key may belong to another player.
        async with self._calls.guard(board):
            await self._calls.run("drop_names", [self._names], [])
        await self._forget(board)

    async def _forget(self, board: str) -> None:
        async with self._calls.guard(board):
            await self._calls.run("drop", self._keys(board).copy, [])

    async def changed_boards(self) -> AsyncIterator[str]:
        async with AsyncExitStack() as stack:
            for subscription in self._subscriptions():
                await stack.enter_async_context(BackgroundLoop("subscription", subscription.tick))
            async for board in self._changed_boards.follow():
                yield board

    def pools(self) -> Mapping[str, tuple[int, int]]:
        return {"redis": (self._calls.in_use, self._servers.limits.connections)}

    def _subscriptions(self) -> list[Subscription]:
        """Return one subscription, or in a cluster one per board, since each may be on another server."""
        groups: Sequence[Sequence[str]] = [self._boards]
        if self._servers.is_cluster:
            groups = [(board,) for board in self._boards]
        return [
            Subscription(
                connect=partial(self._connect, self._keys(boards[0]).changed),
                boards={self._keys(board).changed: board for board in boards},
                probe=self._keys(boards[0]).probe(self._process),
                has_moved=self._has_moved,
                changed=lambda board: self._changed_boards.add((board,)),
            )
            for boards in groups
        ]

    async def _has_moved(self, client: Redis) -> bool:
        await follow_primary(self._calls.client)
        return await follow_primary(client)

    async def _connect(self, channel: str) -> Redis:
        """Return a client for one subscription, of the server that has a channel."""
        client = self._calls.client
        if not isinstance(client, RedisCluster):
            return self._servers.subscriber()
        # If the channel has moved to another server, this call updates the client's list of servers.
        async with asyncio.timeout(self._servers.limits.silence_seconds):
            await client.spublish(channel, "")
        node = client.get_node_from_key(channel)
        assert node is not None
        return self._servers.subscriber((str(node.host), int(node.port)))

    def _keys(self, board: str) -> BoardKeys:
        return BoardKeys(self._prefix, board)

    def _copy_and_names(self, board: str) -> tuple[str, ...]:
        """Return the keys of a board's copy, and that of the names if they are on the same server."""
        copy = self._keys(board).copy
        return copy if self._servers.is_cluster else (*copy, self._names)


def _copy_state(text: bytes) -> CopyState:
    if not text:
        return CopyState(0, readable=False)
    version, readable, reading_us, copy_id = text.decode().split(" ")
    return CopyState(int(version), readable == "1", int(reading_us), copy_id)


def _by_period(change: Change) -> Mapping[str, Sequence[Standing]]:
    """Return the standings of each open period. Those of other periods are left out."""
    periods: dict[str, list[Standing]] = {period: [] for period in change.periods}
    for standing in change.standings:
        if standing.period in periods:
            periods[standing.period].append(standing)
    return periods


def _head(change: Change) -> tuple[Argument, ...]:
    return str(change.kind), change.from_version, change.to_version, change.reading_us


def _rows(members: Members, standings: Sequence[Standing]) -> list[Argument]:
    rows: list[Argument] = []
    named: set[int] = set()
    for standing in standings:
        score, key = members.score_and_key(standing)
        rows += (standing.player, score, key, members.time(standing), standing.version, int(standing.listed))
        if standing.player in named:
            rows += ("", "")
        else:
            named.add(standing.player)
            rows += (standing.name_version, name_text(standing))
    return rows


def _names(standings: Sequence[Standing]) -> list[Argument]:
    names: list[Argument] = []
    for standing in {standing.player: standing for standing in standings}.values():
        names += (standing.player, standing.name_version, name_text(standing))
    return names


def _query(members: Members, query: Query) -> list[Argument]:
    match query:
        case Page(limit, offset):
            return ["page", offset, offset + limit - 1]
        case After(position, limit):
            return ["after", *members.at(position), limit]
        case Around(player, limit):
            return ["around", player, limit]
        case Players(players):
            return ["players", *set(players)]
        case AtRanks(wanted):
            return ["at ranks", *sorted({rank for rank in wanted if rank > 0})]
