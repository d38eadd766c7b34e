"""Hearing of changes: a subscription that comes back by itself and is probed.

A connection may look alive while nothing comes through it any more: a network that drops what it carries, a server that
has forgotten the subscription. So the subscriber sends itself a word every second, and where it does not hear that, it
subscribes anew. What was missed meanwhile is not known, so every board has changed then.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import structlog
from redis.asyncio import Redis

from scoreboard.ranking.redis.connection import FAILURES

PROBE_SECONDS: Final = 1.0
"""How often the subscriber sends itself a word."""

SILENCE_SECONDS: Final = 2.5
"""How long it waits for one of its words."""

PAUSE_SECONDS: Final = 0.5
"""Before it subscribes anew."""

log = structlog.get_logger()


class Subscription:
    """The channels of some boards, on one connection."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[Redis]],
        boards: Mapping[str, str],
        probe: str,
        has_moved: Callable[[Redis], Awaitable[bool]],
        changed: Callable[[str], None],
    ) -> None:
        """`boards` maps channels to boards; `probe` is a channel that only this process uses, on the same server.

        `has_moved` returns True if changes are now published on a server other than the client's.
        """
        self._connect = connect
        self._boards = {channel.encode(): board for channel, board in boards.items()}
        self._probe = probe
        self._has_moved = has_moved
        self._changed = changed

    async def tick(self) -> float:
        """Subscribe, and listen until the connection is lost."""
        try:
            await self._listen()
        except FAILURES as error:
            log.info("subscribing to changes again", reason=str(error) or type(error).__name__)
        return PAUSE_SECONDS

    async def _listen(self) -> None:
        clock = asyncio.get_running_loop().time
        async with await self._connect() as client, client.pubsub() as subscription:
            async with asyncio.timeout(SILENCE_SECONDS):
                await subscription.ssubscribe(self._probe, *self._boards)
                # Only once the server has said so does nothing escape us any more.
                unconfirmed = 1 + len(self._boards)
                while unconfirmed:
                    message = await subscription.get_message(timeout=None)
                    unconfirmed -= message["type"] == "ssubscribe"
            for board in self._boards.values():
                self._changed(board)
            heard_at = probed_at = clock()
            await self._send_word(client)
            while clock() - heard_at < SILENCE_SECONDS:
                if clock() - probed_at >= PROBE_SECONDS:
                    probed_at = clock()
                    await self._send_word(client)
                message = await subscription.get_message(timeout=probed_at + PROBE_SECONDS - clock())
                if message is None:
                    continue
                heard_at = clock()
                if message["type"] == "smessage" and message["channel"] in self._boards:
                    self._changed(self._boards[message["channel"]])
            raise TimeoutError("nothing comes through")

    async def _send_word(self, client: Redis) -> None:
        async with asyncio.timeout(SILENCE_SECONDS):
            if await self._has_moved(client):
                raise ConnectionError("another server is the primary now")
            await client.spublish(self._probe, "")
