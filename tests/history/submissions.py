"""Check the answers to submissions against the ledger: each one counts exactly once, never, or at most once.

A submission is one key of a user, or a single attempt without a key. Several attempts may belong to one
submission.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import accumulate
from uuid import UUID

from scoreboard.domain.events import Event
from tests.history.records import Acknowledged, Attempt, History, Refused, Unknown

Answered = Sequence[tuple[Attempt, Acknowledged]]


def answers(history: History) -> Iterator[str]:
    """Check that each acknowledged event is in the ledger, with the values of its answer."""
    ledger = {event.event_id: event for event in history.ledger}
    for attempt, answer in history.acknowledged():
        event = ledger.get(answer.event_id)
        if event is None:
            yield (
                f"lost: {attempt} was acknowledged as {answer.board} {answer.version}, and is not in "
                "the ledger"
            )
            continue
        for name, told, truth in (
            ("user", answer.user_id, history.user(event.player)),
            ("user", attempt.user_id, history.user(event.player)),
            ("action", answer.action_id, event.action_id),
            ("action", attempt.action_id, event.action_id),
            ("board", answer.board, event.board),
            ("version", answer.version, event.version),
            ("points", answer.points, event.points),
            ("score", answer.score, event.score),
        ):
            if told != truth:
                yield f"wrong {name}: {attempt} was answered for {told}, and the ledger says {truth}"
        if (attempt.key is None) != (event.idempotency_digest is None):
            yield f"lost key: {attempt} is in the ledger {'without' if attempt.key else 'with'} a key"


def repeats(history: History) -> Iterator[str]:
    """Check that attempts share an event only in one submission. One made it; the others are later."""
    events: defaultdict[UUID, list[tuple[Attempt, Acknowledged]]] = defaultdict(list)
    keys: defaultdict[tuple[str, str], set[UUID]] = defaultdict(set)
    for attempt, answer in history.acknowledged():
        events[answer.event_id].append((attempt, answer))
        if attempt.key is not None:
            keys[attempt.user_id, attempt.key].add(answer.event_id)
        elif answer.replayed:
            yield f"a repeat without a key: {attempt} was answered as replayed"
    for (user_id, key), made in keys.items():
        if len(made) > 1:
            yield f"key {key} of {user_id} was acknowledged as {len(made)} events"
    unanswered = _unanswered(history)
    for event_id, told in events.items():
        yield from _sharing(event_id, told)
        attempt = told[0][0]
        if all(answer.replayed for _, answer in told) and not unanswered.get((attempt.user_id, attempt.key)):
            yield f"event {event_id} was only ever replayed: no attempt can have made it"


def _sharing(event_id: UUID, told: Answered) -> Iterator[str]:
    if len({(attempt.user_id, attempt.action_id, attempt.key) for attempt, _ in told}) > 1:
        yield (
            f"event {event_id} is shared by different submissions: "
            f"{', '.join(str(attempt) for attempt, _ in told)}"
        )
    makers = [attempt for attempt, answer in told if not answer.replayed]
    if len(makers) > 1:
        yield f"event {event_id} was made {len(makers)} times: {', '.join(map(str, makers))}"
    first_ended = min((attempt.ended for attempt, answer in told if answer.replayed), default=float("inf"))
    for maker in makers:
        if maker.started > first_ended:
            yield f"event {event_id} was replayed before it was made: {maker}"


def counts(history: History) -> Iterator[str]:
    """Check that the ledger has all acknowledged events, some of the unknown ones, and no others."""
    events = Counter(
        (history.user(event.player), event.action_id, event.idempotency_digest is not None)
        for event in history.ledger
        if event.action_id is not None
    )
    submissions: defaultdict[tuple[str, str, str | int], list[Attempt]] = defaultdict(list)
    for number, attempt in enumerate(history.attempts):
        submissions[
            attempt.user_id, attempt.action_id, number if attempt.key is None else attempt.key
        ].append(attempt)
    known, unknown, refused = (Counter[tuple[str, str, bool]]() for _ in range(3))
    for (user_id, action_id, key), attempts in submissions.items():
        outcomes = {type(attempt.outcome) for attempt in attempts}
        tally = known if Acknowledged in outcomes else unknown if Unknown in outcomes else refused
        tally[user_id, action_id, isinstance(key, str)] += 1
    for kind in events.keys() | known.keys():
        least, most = known[kind], known[kind] + unknown[kind]
        if not least <= events[kind] <= most:
            reason = (
                "an acknowledged one is missing"
                if events[kind] < least
                else f"a refused one was counted, or one twice ({refused[kind]} were refused)"
                if refused[kind]
                else "one was counted twice"
                if most
                else "nobody has asked for that"
            )
            user_id, action_id, has_key = kind
            yield (
                f"{user_id}'s {action_id} ({'with' if has_key else 'without'} a key) is in the ledger "
                f"{events[kind]} "
                f"times, where {known[kind]} were acknowledged and {unknown[kind]} are unknown: {reason}"
            )


def faults(history: History) -> Iterator[str]:
    """Check that no server reports an internal error."""
    for attempt in history.attempts:
        if isinstance(attempt.outcome, Refused) and attempt.outcome.status == 500:
            yield f"a fault of the server's own: {attempt} was answered with 500 {attempt.outcome.code}"


def order(history: History) -> Iterator[str]:
    """Check linearizability: an event acknowledged before another request began has the smaller version."""
    known_by = _known_by(history)
    begun = begins(history)
    for board, events in history.ledgers().items():
        for position, event in enumerate(events[1:], start=1):
            known = known_by.get(event.event_id)
            if known is not None and known < begun[board][position - 1]:
                yield (
                    f"board {board}: version {event.version} was acknowledged at {known:.3f} s, and an "
                    "earlier "
                    f"version was asked for only at {begun[board][position - 1]:.3f} s"
                )


def begins(history: History) -> dict[str, list[float]]:
    """Return the earliest possible commit time of each event of each board. The times never decrease."""
    made: dict[UUID, float] = {}
    unanswered = _unanswered(history)
    for attempt, answer in history.acknowledged():
        if not answer.replayed:
            made[answer.event_id] = attempt.started
        elif (started := unanswered.get((attempt.user_id, attempt.key))) is not None:
            made.setdefault(answer.event_id, started)
    return {
        board: list(accumulate((made.get(event.event_id, 0.0) for event in events), max))
        for board, events in history.ledgers().items()
    }


def last_possible(begun: Sequence[float], at: float, ledger: Sequence[Event]) -> int:
    """Return the last version that can have been committed at a time. `begun` comes from `begins`."""
    position = bisect_left(begun, at)
    return ledger[position - 1].version if position else 0


def _known_by(history: History) -> dict[UUID, float]:
    """Return, for each acknowledged event, the latest time at which it was committed."""
    known: dict[UUID, float] = {}
    for attempt, answer in history.acknowledged():
        known[answer.event_id] = min(attempt.ended, known.get(answer.event_id, attempt.ended))
    return known


def _unanswered(history: History) -> dict[tuple[str, str | None], float]:
    """Return when each key with an unknown outcome was first tried: that attempt may have made the event."""
    unanswered: dict[tuple[str, str | None], float] = {}
    for attempt in history.attempts:
        if attempt.key is not None and isinstance(attempt.outcome, Unknown):
            known = unanswered.get((attempt.user_id, attempt.key), attempt.started)
            unanswered[attempt.user_id, attempt.key] = min(known, attempt.started)
    return unanswered
