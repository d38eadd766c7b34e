"""Check that a ledger is consistent in itself."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from uuid import UUID

from scoreboard.domain.rate_limit import RateLimit
from scoreboard.domain.windows import SMALL_STEP_US
from tests.history.records import History


def versions(history: History) -> Iterator[str]:
    """Check that versions are gapless from 1, and that time never goes back."""
    for board, events in history.ledgers().items():
        version, at_us = 0, 0
        for event in events:
            if event.version != version + 1:
                yield f"board {board}: version {event.version} follows on {version}: versions are not gapless"
            if event.at_us < at_us:
                yield f"board {board}: time goes back at version {event.version}"
            version, at_us = event.version, event.at_us


def sums(history: History) -> Iterator[str]:
    """Check that each score is the sum of the player's points, and that the uses of an action are counted."""
    for board, events in history.ledgers().items():
        scores = Counter[int]()
        uses = Counter[tuple[int, str]]()
        for event in events:
            scores[event.player] += event.points
            user = history.user(event.player)
            if event.score != scores[event.player]:
                yield (
                    f"board {board}: version {event.version} says score {event.score} for {user}, "
                    f"and the points up to there are {scores[event.player]}"
                )
            if event.action_id is None:
                continue
            uses[event.player, event.action_id] += 1
            if event.action_seq != uses[event.player, event.action_id]:
                yield (
                    f"board {board}: version {event.version} says use {event.action_seq} of "
                    f"{event.action_id} "
                    f"by {user}, and it is use {uses[event.player, event.action_id]}"
                )


def players(history: History) -> Iterator[str]:
    """Check that each user has one key, and that `seq` counts a player's events on all boards."""
    owners = Counter(history.users.values())
    for user, count in owners.items():
        if count > 1:
            yield f"{user} has {count} integer keys"
    counts: defaultdict[int, list[int]] = defaultdict(list)
    for board, events in history.ledgers().items():
        newest: dict[int, int] = {}
        for event in events:
            if event.seq is None:
                continue
            counts[event.player].append(event.seq)
            if event.seq <= newest.get(event.player, 0):
                yield (
                    f"board {board}: seq of {history.user(event.player)} does not grow at version "
                    f"{event.version}"
                )
            newest[event.player] = event.seq
    for player, seqs in counts.items():
        if player not in history.users:
            yield f"player {player} has events and is no user"
        if sorted(seqs) != list(range(1, len(seqs) + 1)):
            yield f"seq of {history.user(player)} does not count the events one by one: {sorted(seqs)}"


def twice(history: History) -> Iterator[str]:
    """Check that no event and no idempotency key of a player occurs twice."""
    ids = Counter(event.event_id for event in history.ledger)
    for event_id, count in ids.items():
        if count > 1:
            yield f"event {event_id} is in the ledger {count} times"
    keyed: defaultdict[tuple[int, UUID], list[str]] = defaultdict(list)
    for event in history.ledger:
        if event.idempotency_digest is not None:
            keyed[event.player, event.idempotency_digest].append(f"{event.board} {event.version}")
    for (player, _), places in keyed.items():
        if len(places) > 1:
            yield (
                f"one idempotency key of {history.user(player)} was counted {len(places)} times: "
                f"{', '.join(places)}"
            )


def rate(history: History, limit: RateLimit) -> Iterator[str]:
    """Check that no player exceeds the rate limit in any window of time, by the readings of the clock.

    An event that was written while the clock ran ahead of a later event by more than a small step counts in
    no window.
    """
    times: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for event in history.ledger:
        if event.seq is not None:
            times[event.player].append((event.seq, event.reading_us))
    for player, counted in times.items():
        all_us = [reading_us for _, reading_us in sorted(counted)]
        for first_us, last_us in zip(all_us, all_us[limit.count :], strict=False):
            if -SMALL_STEP_US <= last_us - first_us < limit.window_us:
                yield (
                    f"{history.user(player)} is over the limit: {limit.count + 1} events in "
                    f"{last_us - first_us} µs "
                    f"from {first_us} on"
                )
                break
