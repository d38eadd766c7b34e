"""Check rollovers, and that each event and each answer is in the periods of its time."""

from collections import Counter
from collections.abc import Iterator, Mapping

from scoreboard.domain.boards import ALL_TIME
from tests.history.records import Acknowledged, Attempt, History, Refused
from tests.plain_board import PlainBoard, kind_of


def rollovers(history: History) -> Iterator[str]:
    """Check that each period has one rollover, at its place, and that no event is in a past period."""
    for board, model in _models(history).items():
        yield from (f"board {board}: {fault}" for fault in model.faults())


def scores(history: History) -> Iterator[str]:
    """Check that each answer has the player's score in each period of its event, and in no other."""
    answered: dict[tuple[str, int], list[tuple[Attempt, Acknowledged]]] = {}
    for attempt, answer in history.acknowledged():
        if not answer.replayed:
            answered.setdefault((answer.board, answer.version), []).append((attempt, answer))
    for board, model in _models(history).items():
        sums = Counter[tuple[str, int]]()
        for event in model.events:
            for period in model.periods_of[event.version]:
                sums[period, event.player] += event.points
            truth = {period: sums[period, event.player] for period in model.opened(event.version).values()}
            for attempt, answer in answered.get((board, event.version), ()):
                if answer.periods != truth:
                    yield f"wrong periods: {attempt} was answered for {answer.periods} instead of {truth}"


def named(history: History) -> Iterator[str]:
    """Check that what is sent for a period counts in it, and is refused only if the period is over."""
    models = _models(history)
    newest = {
        (board, kind): period for board, model in models.items() for kind, period in model.opened().items()
    }
    boards = {answer.action_id: answer.board for _, answer in history.acknowledged()}
    for attempt in history.attempts:
        period, outcome = attempt.period, attempt.outcome
        if isinstance(outcome, Acknowledged) and period is not None:
            if period not in models[outcome.board].periods_of.get(outcome.version, ()):
                yield f"wrong period: {attempt} was to count in {period}, and is not in it"
        elif isinstance(outcome, Refused) and outcome.code == "period_over":
            last = newest.get((boards.get(attempt.action_id, ""), kind_of(period or ALL_TIME)), "")
            if period is None or last <= period:
                yield f"refused for no reason: {attempt} was to count in {period}, which is not over"


def _models(history: History) -> Mapping[str, PlainBoard]:
    ledgers = history.ledgers()
    return {
        board: PlainBoard(definition, ledgers.get(board, []), history.users)
        for board, definition in history.definitions.items()
    }
