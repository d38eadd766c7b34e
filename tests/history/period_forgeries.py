"""Histories of a board with periods, with one defect each, and the violation that the checker must report."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from scoreboard.domain.definitions import Definition
from scoreboard.domain.events import Event
from scoreboard.domain.periods import PeriodKind
from tests.history.honest import Fate, Honest
from tests.history.records import Acknowledged, History, Refused

WATCHERS: Final = {"wren": "main", "lark": "main", "rook": "main", "gull": "side"}
KINDS: Final = {"lark": "day", "rook": "week"}
DEFINITIONS: Final = {"main": Definition(periods=(PeriodKind.DAY, PeriodKind.WEEK))}
HALF_A_DAY: Final = 43_200.0
FIRST: Final = "2026-11-18"
"""The first day on which something is submitted, a Wednesday."""

LAST: Final = "2026-11-23"
"""The last day, a Monday."""


def story(cheat: Callable[[Honest], Any] = lambda _: None) -> History:
    """Return a history of some days, after which a week ends. They begin with versions 1, 5 and 8."""
    scoreboard = Honest(WATCHERS, kinds=KINDS, definitions=DEFINITIONS)

    def after(seconds: float, *attempt: Any, **given: Any) -> None:
        scoreboard.wait(seconds)
        scoreboard.submit(*attempt, **given)
        for watcher in WATCHERS:
            scoreboard.watch(watcher)

    after(1.0, "ada", "quest", "k1")
    after(1.0, "bob", "duel", "k2", period=FIRST)
    # Thursday
    after(2 * HALF_A_DAY, "bob", "duel", "k3", period=FIRST)
    after(1.0, "bob", "duel", "k4", Fate.ANSWER_LOST)
    after(1.0, "bob", "duel", "k4")
    after(1.0, "ada", "duel")
    # Monday
    after(8 * HALF_A_DAY, "ada", "quest", period="2026-W47")
    after(1.0, "ada", "visit")
    after(1.0, "cyd", "duel", period="2026-W48")
    cheat(scoreboard)
    after(1.0, "dan", "duel")
    return scoreboard.finish()


Change = Callable[[History], History]


def _with_events(history: History, change: Callable[[Event], Event | None]) -> History:
    """Change or remove events of the main board, and number them again."""
    main = [changed for event in history.ledgers()["main"] if (changed := change(event)) is not None]
    numbered = tuple(replace(event, version=number) for number, event in enumerate(main, start=1))
    return replace(history, ledger=(*numbered, *history.ledgers()["side"]))


def _rollover(period: str, **changed: Any) -> Change:
    """Change a rollover."""
    return lambda history: _with_events(
        history, lambda event: replace(event, **changed) if event.period == period else event
    )


def _without(period: str) -> Change:
    return lambda history: _with_events(history, lambda event: None if event.period == period else event)


def _moved(history: History) -> History:
    """A rollover comes after the first event of its period."""
    main = history.ledgers()["main"]
    number = next(event.version for event in main if event.period == LAST)
    rollover, week, award = main[number - 1 : number + 2]
    main[number - 1 : number + 2] = week, award, rollover
    ordered = replace(history, ledger=(*main, *history.ledgers()["side"]))
    return _with_events(ordered, lambda event: event)


def _answer(number: int, /, **changed: Any) -> Change:
    """Change an acknowledged answer."""

    def forge(history: History) -> History:
        attempts = list(history.attempts)
        outcome = attempts[number].outcome
        assert isinstance(outcome, Acknowledged)
        attempts[number] = replace(attempts[number], outcome=replace(outcome, **changed))
        return replace(history, attempts=tuple(attempts))

    return forge


def _attempt(number: int, /, **changed: Any) -> Change:
    def forge(history: History) -> History:
        attempts = list(history.attempts)
        attempts[number] = replace(attempts[number], **changed)
        return replace(history, attempts=tuple(attempts))

    return forge


def _frame(watcher: str, number: int, change: Callable[[History], dict[str, Any]]) -> Change:
    """Change a watcher's frame."""

    def forge(history: History) -> History:
        frames = list(history.frames)
        index = [index for index, frame in enumerate(frames) if frame.watcher == watcher][number]
        frames[index] = replace(frames[index], snapshot=replace(frames[index].snapshot, **change(history)))
        return replace(history, frames=tuple(frames))

    return forge


def _rows_of(watcher: str, number: int) -> Callable[[History], dict[str, Any]]:
    def rows(history: History) -> dict[str, Any]:
        shown = [frame.snapshot for frame in history.frames if frame.watcher == watcher][number]
        return {"entries": shown.entries, "players": shown.players}

    return rows


def _without_last_frame(watcher: str, count: int) -> Change:
    def forge(history: History) -> History:
        own = [index for index, frame in enumerate(history.frames) if frame.watcher == watcher]
        removed = set(own[-count:])
        return replace(
            history,
            frames=tuple(frame for index, frame in enumerate(history.frames) if index not in removed),
        )

    return forge


def _old_final(history: History) -> History:
    """An instance ends on the day before."""
    index = next(index for index, read in enumerate(history.finals) if read.snapshot.period == LAST)
    older = [frame.snapshot for frame in history.frames if frame.watcher == "lark"][3]
    finals = list(history.finals)
    finals[index] = replace(finals[index], snapshot=older)
    return replace(history, finals=tuple(finals))


WHILE_IT_RAN: dict[str, tuple[Callable[[Honest], Any], str]] = {
    "a period begins twice": (
        lambda honest: honest.begin("main", LAST),
        f"begins {LAST}, and {LAST} is open",
    ),
    "a period begins too early": (
        lambda honest: honest.begin("main", "2026-11-24"),
        "rollover 11 is Event",
    ),
    "a period that is over begins again": (
        lambda honest: honest.begin("main", FIRST),
        f"begins {FIRST}, and {LAST} is open",
    ),
    "a period of a kind that the board does not have begins": (
        lambda honest: honest.begin("main", "2026-11"),
        "begins 2026-11, and None is open",
    ),
}

AFTER_IT_RAN: dict[str, tuple[Change, str]] = {
    "a rollover has another boundary": (_rollover(LAST, boundary_us=1), "is Event"),
    "a rollover has a player": (_rollover(LAST, player=1), "is Event"),
    "a rollover is missing": (_without(LAST), "is in 2026-11-19, which is over"),
    "the first rollover is missing": (_without("2026-W47"), "is in None, which is over"),
    "a rollover comes too late": (_moved, "is in 2026-11-19, which is over"),
    "an answer has another period": (_answer(0, periods={FIRST: 50, "2026-W48": 50}), "wrong periods: ada"),
    "an answer lacks a period": (_answer(0, periods={FIRST: 50}), "wrong periods: ada's quest"),
    "an answer has a wrong score in a period": (
        _answer(1, periods={FIRST: 30, "2026-W47": 60}),
        "wrong periods: bob's duel",
    ),
    "one counts in another period than it names": (_attempt(0, period="2026-11-19"), "wrong period: ada"),
    "one is refused for a period that is open": (
        _attempt(2, period=LAST, outcome=Refused(409, "period_over")),
        "refused for no reason: bob's duel",
    ),
    "one without a period is refused for it": (_attempt(2, period=None), "refused for no reason: bob's duel"),
    "a frame has the rows of all time": (_frame("lark", 3, _rows_of("wren", 3)), "shows 2 players"),
    "a frame has the rows of the day before": (_frame("lark", 8, _rows_of("lark", 5)), "shows 2 players"),
    "a frame has an earlier period": (
        _frame("lark", 8, lambda _: {"period": FIRST}),
        "at which the period is not open",
    ),
    "a frame has a later period": (
        _frame("lark", 1, lambda _: {"period": LAST}),
        "at which the period is not open",
    ),
    "a frame is of another kind": (
        _frame("lark", 1, lambda _: {"period": "2026-W47"}),
        "it watches main day",
    ),
    "a watcher stays in an old period": (_without_last_frame("lark", 5), "is the last it was shown"),
    "a watcher of a week saw nothing": (_without_last_frame("rook", 99), "rook was never shown"),
    "an instance ends in an old period": (_old_final, "one ends at version"),
    "an instance did not show a period at the end": (
        lambda h: replace(h, finals=[read for read in h.finals if read.snapshot.period != LAST]),
        "one did not show board main in its day",
    ),
}
