"""Histories with one defect each, and the violation that the checker must report.

Some come from a scoreboard that cheats while it runs and shows the same to all clients. The others are
changed afterwards.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

from scoreboard.domain.events import Event
from tests.history.honest import Fate, Honest
from tests.history.records import Acknowledged, Attempt, Frame, History, Refused, Unknown

WATCHERS = {"wren": "main", "owl": "main", "gull": "side"}


def story(cheat: Callable[[Honest], None] = lambda _: None) -> History:
    """Return a small history with one of everything."""
    scoreboard = Honest(WATCHERS)

    def after(*attempt: Any, watcher: str = "wren") -> None:
        scoreboard.wait(0.1)
        scoreboard.submit(*attempt)
        scoreboard.watch(watcher)

    after("ada", "quest", "k1")
    after("bob", "quest", "k2")
    after("bob", "quest", "k2")
    after("cyd", "duel", "k3", Fate.ANSWER_LOST, watcher="owl")
    after("cyd", "duel", "k3")
    after("dan", "duel", "k4", Fate.REQUEST_LOST)
    after("dan", "duel", "k4")
    after("eve", "visit", "k5", watcher="gull")
    after("ada", "duel", watcher="owl")
    after("bob", "duel", None, Fate.ANSWER_LOST)
    after("cyd", "quest", None, Fate.REQUEST_LOST)
    after("dan", "quest", "k6", Fate.ANSWER_LOST)
    after("eve", "quest", "k7", Fate.NOT_WRITTEN)
    after("eve", "duel", None, Fate.NOT_WRITTEN)
    after("ada", "visit", "k8", Fate.NOT_WRITTEN, watcher="gull")
    after("ada", "visit", "k8", watcher="gull")
    after("eve", "quest", "k9")
    cheat(scoreboard)
    return scoreboard.finish()


def _event(history: History, board: str, version: int) -> Event:
    return next(event for event in history.ledger if (event.board, event.version) == (board, version))


def _with_event(history: History, board: str, version: int, /, **changed: Any) -> History:
    known = _event(history, board, version)
    ledger = tuple(replace(event, **changed) if event is known else event for event in history.ledger)
    return replace(history, ledger=ledger)


def _with_attempt(history: History, number: int, /, **changed: Any) -> History:
    attempts = list(history.attempts)
    attempts[number] = replace(attempts[number], **changed)
    return replace(history, attempts=tuple(attempts))


def _number(history: History, user_id: str, action_id: str, kind: type = Acknowledged) -> int:
    """Return the index of a user's attempt at an action that ended in this way."""
    return next(
        number
        for number, attempt in enumerate(history.attempts)
        if (attempt.user_id, attempt.action_id) == (user_id, action_id) and isinstance(attempt.outcome, kind)
    )


def _with_answer(history: History, user_id: str, action_id: str, /, **changed: Any) -> History:
    number = _number(history, user_id, action_id)
    outcome = history.attempts[number].outcome
    assert isinstance(outcome, Acknowledged)
    return _with_attempt(history, number, outcome=replace(outcome, **changed))


def _with_frame(history: History, number: int, /, **changed: Any) -> History:
    frames = list(history.frames)
    frames[number] = replace(frames[number], snapshot=replace(frames[number].snapshot, **changed))
    return replace(history, frames=tuple(frames))


def _frames_of(history: History, watcher: str) -> list[int]:
    return [number for number, frame in enumerate(history.frames) if frame.watcher == watcher]


def _with_frames(history: History, keep: Callable[[Frame], bool]) -> History:
    return replace(history, frames=tuple(frame for frame in history.frames if keep(frame)))


def _lost(scoreboard: Honest) -> None:
    """An acknowledged event is lost before any client sees it."""
    scoreboard.submit("ada", "quest", "k10")
    scoreboard.ledgers["main"].pop()


def _doubled(history: History) -> History:
    return replace(history, ledger=(*history.ledger, replace(_event(history, "main", 3), version=8)))


def _key_twice(scoreboard: Honest) -> None:
    scoreboard.count("cyd", "duel", "k3")


def _keys_two_answers(scoreboard: Honest) -> None:
    """A retry of the same key is answered with a second event."""
    made = scoreboard.submit("cyd", "duel", "another")
    scoreboard.attempts[-1] = replace(made, key="k3")


def _swapped_users(history: History) -> History:
    swapped = {"ada": "bob", "bob": "ada"}
    return replace(history, users={player: swapped.get(user, user) for player, user in history.users.items()})


def _early(history: History) -> History:
    """bob's event is acknowledged before ada asks for the one before it."""
    ada = history.attempts[_number(history, "ada", "quest")]
    number = _number(history, "bob", "quest")
    return _with_attempt(history, number, started=ada.started - 0.01, ended=ada.started - 0.005)


def _early_beside_unknown(history: History) -> History:
    """The same with a lost answer: eve's last event is known before cyd's key was sent."""
    cyd = history.attempts[_number(history, "cyd", "duel", Unknown)]
    return _with_attempt(
        history, _number(history, "eve", "quest"), started=cyd.started - 0.01, ended=cyd.started - 0.005
    )


def _mixed(history: History) -> History:
    """A frame has the version of one board and the entries of the next."""
    older, newer = _frames_of(history, "wren")[1], _frames_of(history, "wren")[3]
    return _with_frame(history, older, entries=history.frames[newer].snapshot.entries)


def _half_mixed(history: History) -> History:
    """One entry is of a later version than the others."""
    number = _frames_of(history, "owl")[1]
    older, newer = history.frames[number].snapshot, history.frames[-3].snapshot
    return _with_frame(history, number, entries=(older.entries[0], newer.entries[1], *older.entries[2:]))


def _wrong_score(history: History) -> History:
    number = _frames_of(history, "wren")[2]
    first, *others = history.frames[number].snapshot.entries
    return _with_frame(history, number, entries=(first._replace(score=first.score + 1), *others))


def _turned_tie(history: History) -> History:
    number = _frames_of(history, "wren")[1]
    first, second = history.frames[number].snapshot.entries
    turned = (second._replace(rank=1), first._replace(rank=2))
    return _with_frame(history, number, entries=turned)


def _back(history: History) -> History:
    frames = list(history.frames)
    one, other = _frames_of(history, "wren")[1:6:4]
    frames[one], frames[other] = frames[other], frames[one]
    return replace(history, frames=tuple(frames))


def _stuck(history: History) -> History:
    last = max(_frames_of(history, "owl"))
    return replace(
        history, frames=tuple(frame for number, frame in enumerate(history.frames) if number != last)
    )


def _old_final(history: History) -> History:
    older = history.frames[_frames_of(history, "wren")[2]].snapshot
    first, *others = history.finals
    return replace(history, finals=(replace(first, snapshot=older), *others))


def _shared(history: History) -> History:
    """Two keys get the same event."""
    ada = history.attempts[_number(history, "ada", "quest")]
    assert isinstance(ada.outcome, Acknowledged)
    other = replace(ada, key="k99", outcome=replace(ada.outcome, replayed=True))
    return replace(history, attempts=(*history.attempts, other))


def _fault(history: History) -> History:
    return _with_attempt(
        history, _number(history, "eve", "quest", Refused), outcome=Refused(500, "internal_error")
    )


def _only_replayed(history: History) -> History:
    """The answer was not lost, so there is no event that a replay could repeat."""
    number = _number(history, "cyd", "duel", Unknown)
    return _with_attempt(history, number, outcome=Refused(503, "store_unavailable"))


def _replayed_too_soon(history: History) -> History:
    """bob's repeat was answered before the attempt that made the event began."""
    ended = history.attempts[_number(history, "bob", "quest")].started - 0.01
    return _with_attempt(history, _number(history, "bob", "quest") + 1, started=ended - 0.01, ended=ended)


def _is_replay(attempt: Attempt) -> bool:
    return isinstance(attempt.outcome, Acknowledged) and attempt.outcome.replayed


def _repeat_not_marked(history: History) -> History:
    number = next(number for number, attempt in enumerate(history.attempts) if _is_replay(attempt))
    outcome = history.attempts[number].outcome
    assert isinstance(outcome, Acknowledged)
    return _with_attempt(history, number, outcome=replace(outcome, replayed=False))


Cheat = Callable[[Honest], Any]
Change = Callable[[History], History]


def count(*attempt: str) -> Cheat:
    return lambda scoreboard: scoreboard.count(*attempt)


def event(board: str, version: int, /, **changed: Any) -> Change:
    return lambda history: _with_event(history, board, version, **changed)


def answer(user_id: str, action_id: str, /, **changed: Any) -> Change:
    return lambda history: _with_answer(history, user_id, action_id, **changed)


def frame(**changed: Any) -> Change:
    return lambda history: _with_frame(history, 0, **changed)


WHILE_IT_RAN: dict[str, tuple[Cheat, str]] = {
    "a refused one was counted": (count("eve", "quest", "k7"), "a refused one was counted"),
    "a refused one without a key was counted": (count("eve", "duel"), "a refused one was counted"),
    "a refused one of a known key was counted": (count("ada", "visit", "k8"), "one idempotency key of ada"),
    "a retried key was counted twice": (_key_twice, "one idempotency key of cyd was counted 2 times"),
    "a retried key was counted twice, unmarked": (count("dan", "duel", "new"), "one was counted twice"),
    "a retried key was acknowledged as two events": (
        _keys_two_answers,
        "key k3 of cyd was acknowledged as 2 events",
    ),
    "an acknowledged one was counted twice": (count("bob", "quest", "new"), "one was counted twice"),
    "one without a key was counted twice": (count("ada", "duel"), "one was counted twice"),
    "an unknown one was counted twice": (count("bob", "duel"), "0 were acknowledged and 1 are unknown"),
    "a given up one was counted twice": (count("dan", "quest", "new"), "0 were acknowledged and 1 are"),
    "an acknowledged event is lost": (_lost, "lost: ada's quest"),
    "nobody has asked": (count("fay", "quest"), "nobody has asked for that"),
}

AFTER_IT_RAN: dict[str, tuple[Change, str]] = {
    "an acknowledged event is missing": (
        lambda h: replace(h, ledger=tuple(event for event in h.ledger if event is not _event(h, "main", 5))),
        "lost: ada's duel",
    ),
    "an event is doubled": (_doubled, f"event {UUID(int=3)} is in the ledger 2 times"),
    "a version is missing": (event("main", 8, version=9), "versions are not gapless"),
    "versions begin at 2": (lambda h: replace(h, ledger=h.ledger[1:]), "version 2 follows on 0"),
    "versions are out of order": (lambda h: replace(h, ledger=h.ledger[::-1]), "versions are not gapless"),
    "time goes back": (event("main", 3, at_us=1), "time goes back at version 3"),
    "seq goes back": (
        lambda h: _with_event(_with_event(h, "main", 5, seq=1), "main", 1, seq=2),
        "seq of ada does not grow at version 5",
    ),
    "seq was given on two boards": (event("side", 2, seq=2), "seq of ada does not count"),
    "seq leaves one out": (event("side", 2, seq=4), "seq of ada does not count"),
    "a use is left out": (event("main", 5, action_seq=2), "use 2 of duel by ada"),
    "a score is no sum": (event("main", 5, score=81), "says score 81 for ada"),
    "a user has two keys": (lambda h: replace(h, users={**h.users, 9: "ada"}), "ada has 2 integer keys"),
    "an event is nobody's": (event("main", 5, player=9), "player 9 has events and is no user"),
    "an event is another user's": (_swapped_users, "wrong user: ada's quest"),
    "a key was not kept": (event("main", 1, idempotency_digest=None), "lost key: ada's quest"),
    "an answer has wrong points": (answer("ada", "quest", points=51), "wrong points: ada's quest"),
    "an answer has a wrong score": (answer("ada", "duel", score=30), "wrong score: ada's duel"),
    "an answer has a wrong version": (answer("bob", "quest", version=1), "wrong version: bob's"),
    "an answer has a wrong board": (answer("ada", "visit", board="main"), "wrong board: ada's"),
    "an answer has a wrong user": (answer("ada", "visit", user_id="eve"), "wrong user: ada's"),
    "an answer has a wrong action": (answer("ada", "duel", action_id="quest"), "wrong action: ada"),
    "an answer has a wrong rank": (answer("ada", "quest", rank=2), "wrong rank: ada's quest"),
    "an answer has a rank of long ago": (answer("eve", "quest", rank=1), "wrong rank: eve's quest"),
    "an answer has another event": (answer("ada", "duel", event_id=UUID(int=1)), "is shared by"),
    "two keys share an event": (_shared, "is shared by different submissions"),
    "a repeat is not marked as replayed": (_repeat_not_marked, "was made 2 times"),
    "a first one is marked as replayed": (answer("eve", "visit", replayed=True), "only ever replay"),
    "a replay repeats what nobody can have made": (_only_replayed, "was only ever replayed"),
    "a replay comes too soon": (_replayed_too_soon, "was replayed before it was made"),
    "one without a key is replayed": (answer("ada", "duel", replayed=True), "a repeat without a"),
    "the order of real time is turned": (_early, "version 2 was acknowledged at"),
    "the order of real time is turned by a retry": (_early_beside_unknown, "version 8 was acknowledged at"),
    "a server owns up to a fault": (_fault, "a fault of the server's own: eve's quest"),
    "a frame has a wrong score": (_wrong_score, "score=51"),
    "a frame has a turned tie": (_turned_tie, "rank=1, user_id='bob'"),
    "a frame has a later board": (_mixed, "main at version 2 shows"),
    "a frame is of two versions": (_half_mixed, "main at version 5 shows"),
    "a frame is too short": (frame(entries=()), "shows 0 entries"),
    "a frame has a player too many": (frame(players=2), "shows 2 players"),
    "a frame has a wrong time": (frame(reading_us=1), "shows the time 1"),
    "a frame has a version that never was": (frame(version=99), "which the ledger does not have"),
    "a frame goes back": (_back, "goes back: it had seen version 4"),
    "a frame is of another board": (frame(board="side"), "it watches main"),
    "a watcher is stuck": (_stuck, "is the last it was shown"),
    "a watcher never saw anything": (
        lambda h: _with_frames(h, lambda f: f.watcher != "owl"),
        "owl was never shown",
    ),
    "an instance ends on an older board": (_old_final, "one ends at version"),
    "an instance is gone at the end": (
        lambda h: replace(h, finals=h.finals[1:]),
        "one did not show board main",
    ),
}
