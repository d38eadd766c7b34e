"""Streams of the same rows of a board share a ring, which exists while it is used."""

import asyncio

import pytest

from scoreboard.domain.errors import TooManyViews
from scoreboard.domain.standings import Entry, Snapshot
from scoreboard.fanout.encoding import Frame, Message, encode_board
from scoreboard.fanout.heartbeat import HEARTBEAT
from scoreboard.fanout.hub import Hub
from scoreboard.fanout.rings import MAX_LIMITS, UNUSED_SECONDS
from scoreboard.fanout.stream_view import StreamView
from tests.subscribers import Watcher, with_hub

WEEK = StreamView("main", "week")


def week_frame(version: int, week: str, *users: str) -> Frame:
    entries = tuple(Entry(rank, user, None, 10, 0) for rank, user in enumerate(users, start=1))
    return encode_board(Snapshot("main", version, version, len(users), entries, week))


def frames_of(watcher: Watcher) -> list[Message]:
    return [message for message in watcher.got if message is not HEARTBEAT]


@with_hub
async def test_a_stream_gets_the_frames_of_its_view(hub: Hub) -> None:
    hub.open(WEEK)
    weekly, all_time = Watcher(view=WEEK), Watcher()
    hub.join(weekly)
    hub.join(all_time)
    frame = week_frame(3, "2026-W48", "ada")
    hub.publish(frame, WEEK)
    await asyncio.sleep(1)
    assert frames_of(weekly) == [frame.event]
    assert frames_of(all_time) == []
    assert (hub.newest(WEEK), hub.newest(StreamView("main"))) == (frame, None)
    assert hub.streams == 2


@with_hub
async def test_a_new_period_is_sent_as_a_whole_even_if_both_are_empty(hub: Hub) -> None:
    hub.open(WEEK)
    weekly = Watcher(view=WEEK, takes_patches=True)
    hub.join(weekly)
    frames = [week_frame(2, "2026-W48"), week_frame(3, "2026-W49"), week_frame(4, "2026-W49")]
    for frame in frames:
        hub.publish(frame, WEEK)
        await asyncio.sleep(1)
    assert frames_of(weekly) == [frames[0].event, frames[1].event]


@with_hub
async def test_the_ring_of_a_view_without_streams_is_removed(hub: Hub) -> None:
    hub.open(WEEK)
    weekly = Watcher(view=WEEK)
    hub.join(weekly)
    hub.publish(week_frame(1, "2026-W48"), WEEK)
    await asyncio.sleep(2 * UNUSED_SECONDS)
    assert hub.newest(WEEK) is not None
    assert hub.watched_views("main") == [WEEK]
    hub.leave(weekly)
    await asyncio.sleep(UNUSED_SECONDS / 2)
    assert hub.watched_views("main") == []
    assert hub.newest(WEEK) is not None
    await asyncio.sleep(UNUSED_SECONDS)
    assert hub.newest(WEEK) is None
    hub.leave(weekly)
    late = Watcher(view=WEEK)
    hub.join(late)
    assert late.is_closed
    assert late.closed_with is not None
    assert b"retry" in late.closed_with.plain


@with_hub
async def test_the_number_of_views_with_a_limit_is_bounded(hub: Hub) -> None:
    for rows in range(MAX_LIMITS):
        hub.open(StreamView("main", rows=rows))
    with pytest.raises(TooManyViews):
        hub.open(StreamView("main", rows=MAX_LIMITS))
    hub.open(StreamView("main", rows=0))
    hub.open(WEEK)
    await asyncio.sleep(2 * UNUSED_SECONDS)
    hub.open(StreamView("main", rows=MAX_LIMITS))
