"""Fan-out: which subscriber gets which frame, and when a stream ends."""

import asyncio

from scoreboard.fanout.encoding import Message, encode_board, encode_retry
from scoreboard.fanout.heartbeat import HEARTBEAT
from scoreboard.fanout.hub import Hub
from scoreboard.fanout.ring import SLICE_SECONDS
from tests.clocks import HeldClock
from tests.subscribers import Watcher, frame, hub_running, joined, with_hub
from tests.virtual_time import VirtualTimeLoop, in_virtual_time


@with_hub
async def test_a_new_subscriber_gets_the_newest_frame_at_once(hub: Hub) -> None:
    hub.publish(frame(1))
    hub.publish(frame(2))
    watcher = Watcher()
    hub.join(watcher)
    assert watcher.got == [frame(2).event]


@with_hub
async def test_all_subscribers_get_the_same_bytes_object(hub: Hub) -> None:
    watchers = joined(hub, 100)
    sent = frame(1)
    hub.publish(sent)
    await asyncio.sleep(0.1)
    assert all(watcher.got == [sent.event] for watcher in watchers)
    assert all(watcher.got[0] is sent.event for watcher in watchers)


@with_hub
async def test_a_change_is_sent_at_once_and_many_changes_forty_times_a_second(hub: Hub) -> None:
    watcher = Watcher()
    hub.join(watcher)
    for version in range(1, 101):
        hub.publish(frame(version))
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    assert watcher.times[0] == 0
    assert 34 <= len(watcher.got) <= 41
    assert watcher.got[-1] == frame(100).event


@with_hub
async def test_a_board_is_sent_when_it_becomes_stale_and_when_it_is_fresh_again(hub: Hub) -> None:
    fresh = frame(1)
    hub.publish(fresh)
    watcher = Watcher()
    hub.join(watcher)
    stale = encode_board(fresh.snapshot, is_stale=True)
    hub.publish(stale)
    await asyncio.sleep(0.1)
    hub.publish(fresh)
    await asyncio.sleep(0.1)
    assert watcher.got == [fresh.event, stale.event, fresh.event]


@with_hub
async def test_a_change_outside_the_visible_rows_is_not_sent(hub: Hub) -> None:
    watcher = Watcher()
    hub.publish(frame(1))
    hub.join(watcher)
    hub.publish(frame(2, score=1))
    await asyncio.sleep(1)
    assert len(watcher.got) == 1
    late = Watcher()
    hub.join(late)
    assert late.got == [frame(2, score=1).event]


@with_hub
async def test_a_slow_client_is_skipped_and_then_gets_the_newest_frame(hub: Hub) -> None:
    slow, quick = Watcher(), Watcher()
    slow.stalled = True
    hub.publish(frame(1))
    hub.join(slow)
    hub.join(quick)
    for version in range(2, 6):
        hub.publish(frame(version))
        await asyncio.sleep(0.1)
    assert slow.got == [frame(1).event]
    assert len(quick.got) == 5
    slow.drain()
    assert slow.got == [frame(1).event, frame(5).event]


@with_hub
async def test_a_client_that_reads_nothing_for_thirty_seconds_is_disconnected(hub: Hub) -> None:
    stalled, fine = Watcher(), Watcher()
    stalled.stalled = True
    hub.publish(frame(1))
    hub.join(stalled)
    hub.join(fine)
    await asyncio.sleep(29)
    assert hub.streams == 2
    await asyncio.sleep(4)
    assert stalled.is_closed
    assert not fine.is_closed
    assert (hub.counts.stalled, hub.streams) == (1, 1)


@with_hub
async def test_a_client_that_is_sometimes_slow_is_kept(hub: Hub) -> None:
    watcher = Watcher()
    hub.join(watcher)
    for version in range(1, 10):
        watcher.stalled = True
        hub.publish(frame(version))
        await asyncio.sleep(20)
        watcher.drain()
    assert not watcher.is_closed


@with_hub
async def test_a_silent_stream_gets_a_heartbeat_every_fifteen_seconds(hub: Hub) -> None:
    watcher = Watcher()
    hub.publish(frame(1))
    hub.join(watcher)
    await asyncio.sleep(50)
    assert watcher.got == [frame(1).event, HEARTBEAT, HEARTBEAT, HEARTBEAT]
    gaps = [later - earlier for earlier, later in zip(watcher.times[1:], watcher.times[2:], strict=False)]
    assert all(15 <= gap <= 16.1 for gap in gaps)


@with_hub
async def test_a_subscriber_that_has_left_gets_nothing_more(hub: Hub) -> None:
    watchers = joined(hub, 5)
    for gone in (watchers[0], watchers[4], watchers[2], watchers[2]):
        hub.leave(gone)
    hub.publish(frame(1))
    await asyncio.sleep(0.1)
    assert [len(watcher.got) for watcher in watchers] == [0, 1, 0, 1, 0]
    assert hub.streams == 2


@with_hub
async def test_a_subscriber_that_has_drained_gets_no_frame_twice(hub: Hub) -> None:
    watcher = Watcher()
    watcher.stalled = True
    hub.publish(frame(1))
    hub.join(watcher)
    watcher.drain()
    assert watcher.got == [frame(1).event]


@with_hub
async def test_draining_ends_all_streams_evenly_and_refuses_new_ones(hub: Hub) -> None:
    watchers = joined(hub, 10)
    draining = asyncio.create_task(hub.drain(2, 5))
    await asyncio.sleep(1)
    assert hub.is_draining
    late = Watcher()
    hub.join(late)
    assert late.closed_with == encode_retry(1000)
    assert [w.closed_with for w in watchers] == [None] * 10
    await asyncio.sleep(1 + 2.6)
    assert 4 <= sum(w.closed_with is not None for w in watchers) <= 7
    await draining
    assert all(w.closed_with == encode_retry(1000) for w in watchers)
    assert hub.streams == 0


@in_virtual_time
async def test_a_stream_whose_token_has_expired_ends_within_a_second_with_a_time_to_reconnect() -> None:
    clock = HeldClock()
    async with hub_running(clock) as hub:
        soon, later, ever = Watcher(clock.us + 60_000_000), Watcher(clock.us + 90_000_000), Watcher()
        for watcher in (soon, later, ever):
            hub.join(watcher)
        clock.advance(59.9)
        await asyncio.sleep(1.1)
        assert hub.streams == 3
        clock.advance(0.1)
        await asyncio.sleep(1)
        hub.publish(frame(1))
        await asyncio.sleep(0.1)
        assert (soon.closed_with, frame(1).event in soon.got) == (encode_retry(1000), False)
        assert [(w.is_closed, w.got[-1]) for w in (later, ever)] == [(False, frame(1).event)] * 2
        clock.advance(10**9)
        await asyncio.sleep(1)
        assert (later.is_closed, ever.is_closed) == (True, False)
        assert (hub.streams, hub.counts.expired) == (1, 2)


@in_virtual_time
async def test_ending_many_expired_streams_does_not_block_the_event_loop() -> None:
    class Ending(Watcher):
        __slots__ = ()

        def close(self, last: Message | None) -> None:
            super().close(last)
            loop = asyncio.get_running_loop()
            assert isinstance(loop, VirtualTimeLoop)
            loop.spend(0.0002)

    clock = HeldClock()
    async with hub_running(clock) as hub:
        watchers = [Ending(clock.us) for _ in range(1_000)]
        for watcher in watchers:
            hub.join(watcher)
        await asyncio.sleep(0.9)
        loop = asyncio.get_running_loop()
        longest, before = 0.0, loop.time() + 0.1
        while hub.streams:
            await asyncio.sleep(0 if loop.time() >= 1 else 0.1)
            longest, before = max(longest, loop.time() - before), loop.time()
        assert longest <= SLICE_SECONDS + 0.0003
        assert all(watcher.is_closed for watcher in watchers)
