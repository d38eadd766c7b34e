"""Patches: a client that applies them has the same board as one that gets whole frames."""

import asyncio
import json
from typing import Any

import hypothesis.strategies as st
from hypothesis import given, settings

from scoreboard.domain.standings import Entry, Snapshot
from scoreboard.fanout.encoding import Frame, Message, encode_board, encode_patch
from scoreboard.fanout.hub import Hub
from scoreboard.fanout.ring import MAX_PATCHED_CHANGES
from scoreboard.fanout.stream_view import StreamView
from scoreboard.fanout.subscriber import StreamRequest, Subscriber
from tests.virtual_time import in_virtual_time

TOP = 10


def frame(
    version: int,
    scores: dict[str, int],
    names: dict[str, str] | None = None,
    *,
    is_shared: bool = False,
) -> Frame:
    """Return the top ten of some scores. Of equal scores, the smaller user id is first."""
    order = sorted(scores, key=lambda user: (-scores[user], user))[:TOP]
    ranks = list(range(1, len(order) + 1))
    if is_shared:
        ranks = [1 + sum(score > scores[user] for score in scores.values()) for user in order]
    entries = (
        Entry(rank, user, (names or {}).get(user), scores[user], scores[user], columns=(-scores[user],))
        for rank, user in zip(ranks, order, strict=True)
    )
    return encode_board(Snapshot("main", version, version, len(scores), tuple(entries)), ["time"])


def data(message: Message) -> tuple[str, dict[str, Any]]:
    """Return the name of an event and its data."""
    fields = dict(line.split(": ", 1) for line in message.plain.decode().strip().split("\n"))
    document: dict[str, Any] = json.loads(fields["data"])
    assert fields["id"] == str(document["version"])
    return fields["event"], document


def patched(board: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Apply a patch as `docs/api-specification.md` describes."""
    assert board["version"] == changes["after"], "a version was skipped"
    replaced = {*changes.get("gone", ()), *(entry["userId"] for entry in changes["entries"])}
    entries = [entry for entry in board["entries"] if entry["userId"] not in replaced]
    indexes = changes.get("indexes") or [entry["rank"] - 1 for entry in changes["entries"]]
    for index, entry in zip(indexes, changes["entries"], strict=True):
        entries.insert(index, entry)
    ranks = changes.get("ranks") or range(1, len(entries) + 1)
    head = {key: changes[key] for key in ("board", "version", "updatedAt", "players")}
    ranked = ({**entry, "rank": rank} for rank, entry in zip(ranks, entries, strict=True))
    return {**head, "entries": list(ranked)}


class Client(Subscriber):
    """Keeps the board like a client."""

    __slots__ = ("copy", "kinds", "stalled")

    def __init__(self, *, takes_patches: bool) -> None:
        super().__init__(StreamRequest(StreamView("main"), takes_patches=takes_patches))
        self.copy: dict[str, Any] = {}
        self.kinds: list[str] = []
        self.stalled = False

    def write(self, message: Message) -> None:
        kind, document = data(message)
        self.kinds.append(kind)
        self.copy = document if kind == "leaderboard" else patched(self.copy, document)
        self.is_behind = self.stalled

    def close(self, last: Message | None) -> None:
        raise AssertionError(last)

    def drain(self) -> None:
        was_behind, self.stalled, self.is_behind = self.is_behind, False, False
        if was_behind:
            self.on_drained(self)


users = st.sampled_from([f"user-{number}" for number in range(14)])
boards = st.dictionaries(users, st.integers(0, 5), max_size=14)
named = st.dictionaries(users, st.sampled_from(["A", "B"]), max_size=3)


@given(boards, boards, named, named, st.booleans())
def test_a_patch_leads_from_any_board_to_any_later_one(
    before: dict[str, int],
    after: dict[str, int],
    old_names: dict[str, str],
    names: dict[str, str],
    is_shared: bool,
) -> None:
    old = frame(1, before, old_names, is_shared=is_shared)
    new = frame(2, after, names, is_shared=is_shared)
    found = encode_patch(old, new)
    if found is not None:
        kind, document = data(found)
        assert kind == "patch"
        assert patched(json.loads(old.body), document) == json.loads(new.body)
        assert len(found.plain) < len(new.event.plain)


def ranked(version: int, *rows: tuple[str, int]) -> Frame:
    """Return a frame with these rows, in this order."""
    entries = (Entry(rank, user, None, score, 0) for rank, (user, score) in enumerate(rows, start=1))
    return encode_board(Snapshot("main", version, version, len(rows), tuple(entries)))


def test_if_unchanged_rows_are_reordered_the_whole_board_is_sent() -> None:
    """This may happen after a backup is restored: of two equal scores, the other was reached first."""
    others = tuple((f"user-{number}", number) for number in range(8, 0, -1))
    assert (
        encode_patch(ranked(7, ("ada", 9), ("bob", 9), *others), ranked(5, ("ada", 9), ("bob", 9), *others))
        is not None
    )
    assert (
        encode_patch(ranked(7, ("ada", 9), ("bob", 9), *others), ranked(5, ("bob", 9), ("ada", 9), *others))
        is None
    )


@in_virtual_time
async def test_of_two_boards_with_the_same_version_each_client_gets_the_patch_for_its_own() -> None:
    """After a backup is restored, a client that was behind still has a board of the lost history."""

    hub = Hub(["main"])
    lost, restored = Client(takes_patches=True), Client(takes_patches=True)
    others = tuple((f"user-{number}", number) for number in range(8, 0, -1))
    hub.publish(ranked(5, ("ada", 20), ("bob", 10), *others))
    lost.stalled = True
    hub.join(lost)
    hub.publish(ranked(5, ("bob", 15), ("ada", 10), *others))
    hub.join(restored)
    newest = ranked(6, ("bob", 15), ("ada", 11), *others)
    hub.publish(newest)
    await asyncio.sleep(0.1)
    lost.drain()
    assert restored.kinds == lost.kinds == ["leaderboard", "patch"]
    assert restored.copy == lost.copy == json.loads(newest.body)


steps = st.lists(
    st.tuples(st.sampled_from(["score", "leave", "stall", "go_on", "join", "wait"]), st.integers(0, 13)),
    max_size=60,
)


class Crowd:
    """A board that changes, and clients with and without patches."""

    def __init__(self) -> None:
        self.hub = Hub(["main"])
        self.scores = {f"user-{number}": 100 - number for number in range(12)}
        self.version = 0
        self.clients: list[Client] = []
        self._publish()
        for number in range(4):
            self.join(number)

    def join(self, number: int) -> None:
        self.clients.append(Client(takes_patches=number % 2 == 0))
        self.hub.join(self.clients[-1])

    def score(self, number: int) -> None:
        user = f"user-{number}"
        self.scores[user] = self.scores.get(user, 0) + number + 1
        self._publish()

    def leave(self, number: int) -> None:
        self.scores.pop(f"user-{number}", None)
        self._publish()

    def stall(self, number: int) -> None:
        self.clients[number % len(self.clients)].stalled = True

    def go_on(self, number: int) -> None:
        self.clients[number % len(self.clients)].drain()

    def _publish(self) -> None:
        self.version += 1
        self.hub.publish(self.newest())

    def newest(self) -> Frame:
        return frame(self.version, self.scores)


@settings(max_examples=100, deadline=None)
@given(steps)
@in_virtual_time
async def test_clients_with_and_without_patches_never_diverge(steps: list[tuple[str, int]]) -> None:
    crowd = Crowd()
    for step, number in steps:
        if step == "wait":
            await asyncio.sleep(0.1)
        else:
            getattr(crowd, step)(number)
    for client in crowd.clients:
        client.drain()
    await asyncio.sleep(1)
    newest = json.loads(crowd.newest().body)
    for client in crowd.clients:
        # A change outside the visible rows is not sent, so a client's version may be older.
        assert client.copy["entries"] == newest["entries"]


@in_virtual_time
async def test_the_patch_of_one_score_is_much_smaller_than_the_board() -> None:
    hub = Hub(["main"])
    client = Client(takes_patches=True)
    scores = {f"user-{number}": 100 - number for number in range(30)}
    hub.publish(frame(1, scores))
    hub.join(client)
    whole = hub.counts.bytes
    hub.publish(frame(2, {**scores, "user-7": 99}))
    await asyncio.sleep(0.1)
    assert client.kinds == ["leaderboard", "patch"]
    assert (hub.counts.bytes - whole) / whole < 0.35


@in_virtual_time
async def test_a_client_that_has_missed_too_many_changes_gets_the_whole_board() -> None:
    hub = Hub(["main"])
    client = Client(takes_patches=True)
    client.stalled = True
    hub.publish(frame(1, {"ada": 1, "bob": 0}))
    hub.join(client)
    for version in range(2, MAX_PATCHED_CHANGES + 3):
        hub.publish(frame(version, {"ada": version, "bob": 0}))
        await asyncio.sleep(0.1)
    client.drain()
    assert client.kinds == ["leaderboard", "leaderboard"]


@in_virtual_time
async def test_a_board_that_becomes_stale_or_fresh_is_sent_whole() -> None:
    hub = Hub(["main"])
    client = Client(takes_patches=True)
    known = frame(1, {f"user-{number}": number for number in range(10)})
    hub.publish(known)
    hub.join(client)
    for published in (encode_board(known.snapshot, is_stale=True), known):
        hub.publish(published)
        await asyncio.sleep(0.1)
    assert client.kinds == ["leaderboard"] * 3
