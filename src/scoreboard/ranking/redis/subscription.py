"""Subscription to changes of boards.

A connection may look open although no message arrives: the network may drop packets, or the server may have
lost the subscription. The subscriber therefore publishes a probe to itself every second, and subscribes again
if it receives nothing. It does not know which messages it has missed, so it then reports every board as
changed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import structlog
from redis.asyncio import Redis

from scoreboard.ranking.redis.connection import FAILURES

PROBE_SECONDS: Final = 1.0
"""Interval of the probes."""

SILENCE_SECONDS: Final = 2.5
"""Time without a message after which the subscription is renewed."""

PAUSE_SECONDS: Final = 0.5
"""Pause before a new subscription."""

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
        """`boards` maps channels to boards. `probe` is a channel of this process, on the same server.

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
                # From the server's confirmation on, no change is missed.
                unconfirmed = 1 + len(self._boards)
                while unconfirmed:
                    message = await subscription.get_message(timeout=None)
                    unconfirmed -= message["type"] == "ssubscribe"
            for board in self._boards.values():
                self._changed(board)
            received_at = probed_at = clock()
            await self._send_probe(client)
            while clock() - received_at < SILENCE_SECONDS:
                if clock() - probed_at >= PROBE_SECONDS:
                    probed_at = clock()
                    await self._send_probe(client)
                message = await subscription.get_message(timeout=probed_at + PROBE_SECONDS - clock())
                if message is None:
                    continue
                received_at = clock()
                if message["type"] == "smessage" and message["channel"] in self._boards:
                    self._changed(self._boards[message["channel"]])
            raise TimeoutError("no message has arrived")

    async def _send_probe(self, client: Redis) -> None:
        async with asyncio.timeout(SILENCE_SECONDS):
            if await self._has_moved(client):
                raise ConnectionError("another server is the primary now")
            await client.spublish(self._probe, "")
