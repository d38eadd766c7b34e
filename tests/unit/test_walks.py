"""Walks over the subscribers of a board."""

import asyncio
from functools import partial

import hypothesis.strategies as st
from hypothesis import given, settings

from scoreboard.fanout.hub import Hub
from scoreboard.fanout.ring import PACE_SECONDS, SLICE_SECONDS
from scoreboard.ports.observer import Observer
from tests.subscribers import Watcher, frame, hub_running, joined, with_hub
from tests.virtual_time import VirtualTimeLoop, in_virtual_time


def slow_watchers(hub: Hub) -> tuple[list[Watcher], VirtualTimeLoop]:
    """Join subscribers that each take 0.2 ms for a write."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)
    watchers = joined(hub, 1_000)
    for watcher in watchers:
        watcher.on_write = partial(loop.spend, 0.0002)
    return watchers, loop


@with_hub
async def test_a_subscriber_that_is_moved_during_a_walk_gets_the_frame_once(hub: Hub) -> None:
    def leave_all(hub: Hub, leaving: list[Watcher]) -> None:
        for watcher in leaving:
            hub.leave(watcher)

    watchers = [Watcher() for _ in range(60)]
    for number, watcher in enumerate(watchers):
        hub.join(watcher)
        if number % 7 == 3:
            watcher.on_write = partial(leave_all, hub, watchers[number - 2 : number + 1])
    for version in (1, 2):
        hub.publish(frame(version))
        await asyncio.sleep(0.2)
    # Each remaining subscriber has every frame once.
    staying = [w for n, w in enumerate(watchers) if n % 7 not in {1, 2, 3}]
    assert hub.streams == len(staying)
    for watcher in staying:
        assert watcher.got == [frame(1).event, frame(2).event]


@in_virtual_time
async def test_a_walk_over_many_subscribers_does_not_block_the_event_loop() -> None:
    async with hub_running() as hub:
        watchers, loop = slow_watchers(hub)
        hub.publish(frame(1))
        longest = 0.0
        before = loop.time()
        while not all(watcher.got for watcher in watchers):
            await asyncio.sleep(0)
            longest, before = max(longest, loop.time() - before), loop.time()
        assert longest <= SLICE_SECONDS + 0.0003
        assert 0.2 <= loop.time() < 0.21


@in_virtual_time
async def test_a_change_during_a_walk_reaches_all_subscribers_within_the_next() -> None:
    async with hub_running() as hub:
        watchers, _ = slow_watchers(hub)
        hub.publish(frame(1))
        await asyncio.sleep(0.1)
        hub.publish(frame(2))
        await asyncio.sleep(0.31)
        assert all(watcher.got[-1] == frame(2).event for watcher in watchers)
        behind_the_cursor = sum(len(watcher.got) == 1 for watcher in watchers)
        assert 400 <= behind_the_cursor <= 600


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["join", "leave", "publish", "wait"]), st.integers(0, 1_000)), max_size=80
    )
)
@in_virtual_time
async def test_all_subscribers_get_the_newest_frame_although_others_join_and_leave_during_walks(
    steps: list[tuple[str, int]],
) -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)
    async with hub_running() as hub:
        watchers: list[Watcher] = []

        def join() -> None:
            watcher = Watcher()
            # One subscriber fills a slice, so that the next step happens during a walk.
            watcher.on_write = partial(loop.spend, SLICE_SECONDS)
            watchers.append(watcher)
            hub.join(watcher)

        for _ in range(12):
            join()
        version = 1
        hub.publish(frame(version))
        for step, number in steps:
            if step == "join":
                join()
            elif step == "leave" and watchers:
                hub.leave(watchers.pop(number % len(watchers)))
            elif step == "publish":
                version += 1
                hub.publish(frame(version))
            for _ in range(number % 4):
                await asyncio.sleep(0)
        await asyncio.sleep(2 * PACE_SECONDS + 2 * SLICE_SECONDS * len(watchers))
        for watcher in watchers:
            assert watcher.got[-1] == frame(version).event
            assert len(set(watcher.got)) == len(watcher.got)


@with_hub
async def test_one_broken_stream_does_not_stop_the_others(hub: Hub) -> None:
    def fail() -> None:
        raise RuntimeError("broken")

    watchers = joined(hub, 5)
    watchers[2].on_write = fail
    for version in (1, 2):
        hub.publish(frame(version))
        await asyncio.sleep(0.1)
    assert hub.streams == 4
    assert watchers[2].is_closed
    for watcher in (*watchers[:2], *watchers[3:]):
        assert watcher.got == [frame(1).event, frame(2).event]


@in_virtual_time
async def test_the_duration_of_a_walk_is_reported_also_after_a_restored_backup() -> None:
    """The versions after it are lower than before."""

    class Recording(Observer):
        def __init__(self) -> None:
            self.delivered_at_us: list[int] = []

        def delivered(self, at_us: int, seconds: float) -> None:
            self.delivered_at_us.append(at_us)

    observer = Recording()
    hub = Hub(["main"], observer=observer)
    hub.join(Watcher())
    for version in (8, 9, 3):
        hub.publish(frame(version))
        await asyncio.sleep(0.1)
    assert observer.delivered_at_us == [8, 9, 3]
