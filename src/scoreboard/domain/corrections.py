"""Decide about corrections: pure functions from facts to events, like `rules` for submissions.

A correction makes one event on each board that it changes, and none if it is already in effect. So all
corrections but an adjustment are idempotent.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from scoreboard.domain.administration import Correction, CorrectionFacts, ValuedEvent
from scoreboard.domain.boards import ALL_TIME, MAX_SCORE
from scoreboard.domain.combining import combine_all
from scoreboard.domain.decisions import Acceptance, Decision
from scoreboard.domain.errors import (
    EventNotVoidable,
    IdempotencyKeyReused,
    NameKept,
    NotAdjustable,
    ScoreOutOfRange,
    UnknownEvent,
    UnknownPlayer,
)
from scoreboard.domain.events import ERASED_MARK, NO_PLAYER, Event, EventKind, Head, NewId, ReachingEvent
from scoreboard.domain.folding import VOIDABLE, ValuesAfterVoid, event_values, fold
from scoreboard.domain.rollovers import roll_over
from scoreboard.domain.standings import Change, ChangeKind, Player, Standing
from scoreboard.domain.windows import head_after, judged_us, order_us


def correct(correction: Correction, facts: CorrectionFacts, new_id: NewId) -> tuple[Decision, Player | None]:
    """Return the events of a correction, the changes of standings, and the player after it.

    A repeat of an adjustment returns the event that the first one made.
    Raises UnknownPlayer, UnknownEvent, EventNotVoidable, NotAdjustable, ScoreOutOfRange, NameKept,
    IdempotencyKeyReused.
    """
    if facts.player is None:
        if correction.user_id is None:
            raise UnknownEvent(correction.board or "", correction.target_version or 0)
        raise UnknownPlayer(correction.user_id)
    if facts.repeated is not None:
        first = facts.repeated
        if (first.kind, first.board, first.points) != (correction.kind, correction.board, correction.points):
            raise IdempotencyKeyReused
        return Decision((Acceptance(first, replayed=True),), (), ()), None
    draft = _CorrectionDraft(correction, facts, facts.player, new_id)
    _BY_KIND[correction.kind](draft)
    return draft.decision(), draft.after


_RELISTING: Final = frozenset({EventKind.UNBAN, EventKind.SHOW})


def _player_after(correction: Correction, player: Player) -> Player:
    """Return the player after the correction."""
    if correction.kind is EventKind.ERASE:
        # Of two names, the one with the higher `name_version` is newer: a late change cannot restore the one
        # that was erased.
        erased = replace(player, user_id=f"{ERASED_MARK}{player.key}", name=None, is_name_kept=False)
        return replace(erased, seq=player.seq + 1, is_banned=True)
    if correction.kind in {EventKind.BAN, EventKind.UNBAN}:
        return replace(player, is_banned=correction.kind is EventKind.BAN)
    if correction.kind in {EventKind.HIDE, EventKind.SHOW}:
        return replace(player, is_hidden=correction.kind is EventKind.HIDE)
    if correction.kind is EventKind.RENAME:
        renames = player.renames + (player.name != correction.name)
        return replace(player, name=correction.name, renames=renames, is_name_kept=correction.keeps_name)
    if correction.kind is EventKind.RELEASE_NAME:
        return replace(player, is_name_kept=False)
    return player


class _CorrectionDraft:
    """Collects the events of a correction, and the player's standings after them."""

    def __init__(self, correction: Correction, facts: CorrectionFacts, player: Player, new_id: NewId) -> None:
        self.correction = correction
        self.facts = facts
        self.player = player
        self.events: list[Event] = []
        self.after = _player_after(correction, player)
        self._new_id = new_id
        self._heads: dict[str, Head] = {}
        self._standings = {board: dict(found) for board, found in facts.standings.items()}
        self._changed: dict[str, dict[str, Standing]] = {}
        self._void = {
            (board, one.event.version)
            for board, events in facts.events.items()
            for one in events
            if one.is_void
        }

    def append(self, board: str, kind: EventKind, points: int = 0, target: ValuedEvent | None = None) -> None:
        """Append an event to a board, after the rollovers that are due. Raises ScoreOutOfRange."""
        standings = self._standings.setdefault(board, {})
        now_us, head = self._next(board)
        at_us, clock_us = order_us(now_us, head)
        event = Event(
            event_id=self._new_id(),
            board=board,
            version=head.version + 1,
            player=self.player.key,
            kind=kind,
            seq=None,
            action_id=None,
            action_seq=None,
            points=points,
            score=0,
            at_us=at_us,
            # Only the first event of the player has it: all events of a correction are committed together.
            idempotency_digest=None
            if any(event.player != NO_PLAYER for event in self.events)
            else self.correction.idempotency_digest,
            target_version=None if target is None else target.event.version,
            clock_us=clock_us,
            hides=kind is EventKind.ADJUST and ALL_TIME not in standings and self.after.is_hidden,
        )
        if target is not None:
            change = self._void.add if kind is EventKind.VOID else self._void.discard
            change((board, target.event.version))
        periods = tuple(standings) if target is None else target.periods
        if kind is EventKind.ADJUST:
            periods = head.open_periods
        for period in sorted(periods, key=lambda period: period != ALL_TIME):
            standings[period] = self._fold(event, standings, period, target)
            self._changed.setdefault(board, {})[period] = standings[period]
        if any(abs(value) > MAX_SCORE for standing in standings.values() for value in standing.values):
            raise ScoreOutOfRange
        self.events.append(replace(event, score=standings[ALL_TIME].score))
        self._heads[board] = head_after(head, event)

    def _next(self, board: str) -> tuple[int, Head]:
        """Return the time that the rules use for the board's next event, and the head before it."""
        if board in self._heads:
            head = self._heads[board]
            return judged_us(self.facts.reading_us, head), head
        head = self.facts.heads[board]
        now_us = judged_us(self.facts.reading_us, head)
        rollovers, head = roll_over(board, self.facts.definitions[board], head, now_us, self._new_id)
        self.events += rollovers
        return now_us, head

    def _fold(
        self, event: Event, standings: Mapping[str, Standing], period: str, target: ValuedEvent | None
    ) -> Standing:
        before = standings.get(period)
        is_new = before is None or before.is_empty
        listed: bool | None = None
        if event.kind in _RELISTING or (is_new and target is not None):
            listed = not (self.after.is_banned or self.after.is_hidden)
        elif is_new and period != ALL_TIME:
            listed = standings[ALL_TIME].listed
        return fold(
            self.facts.definitions[event.board],
            before,
            event,
            self.after,
            period,
            listed=listed,
            after_void=None if target is None else self._values_after_void(event, before, period),
        )

    def _values_after_void(self, event: Event, before: Standing | None, period: str) -> ValuesAfterVoid:
        """Return the values of a standing after a void or an unvoid."""
        board, definition = event.board, self.facts.definitions[event.board]
        if definition.is_additive:
            score = (before.score if before else 0) + event.points
            return ValuesAfterVoid((score,), self.facts.reached[board, period])
        counting = [
            one.event
            for one in self.facts.events[board]
            if period in one.periods and (board, one.event.version) not in self._void
        ]
        combined = combine_all(definition, ((one.version, event_values(definition, one)) for one in counting))
        if combined is None:
            return ValuesAfterVoid(None, None)
        version, values = combined
        reading_us = next(one.reading_us for one in counting if one.version == version)
        return ValuesAfterVoid(values, ReachingEvent(version, reading_us))

    def append_to_all(self) -> None:
        """Append an event of the correction's kind to each board on which the player has a standing."""
        for board in sorted(self.facts.standings):
            self.append(board, self.correction.kind)

    def decision(self) -> Decision:
        changes = tuple(
            Change(
                board=board,
                kind=ChangeKind.STEP,
                from_version=self.facts.heads[board].version,
                to_version=head.version,
                reading_us=head.reading_us,
                standings=tuple(self._changed[board].values()),
                periods=head.open_periods,
            )
            for board, head in sorted(self._heads.items())
        )
        return Decision((), tuple(self.events), changes)


def _adjust(draft: _CorrectionDraft) -> None:
    """Raise NotAdjustable if the board's values are not only sums."""
    board = draft.correction.board or ""
    if not draft.facts.definitions[board].is_adjustable:
        raise NotAdjustable
    if not draft.correction.points:
        return
    is_new = board not in draft.facts.standings
    draft.append(board, EventKind.ADJUST, draft.correction.points)
    if is_new and draft.player.is_banned:
        draft.append(board, EventKind.BAN)


def _void_or_restore(draft: _CorrectionDraft) -> None:
    """Void the targets that count, or restore those that are void. Raises EventNotVoidable."""
    targets, kind = draft.facts.targets, draft.correction.kind
    is_void = kind is EventKind.VOID
    for event in (target.event for target in targets):
        if event.kind not in VOIDABLE or (event.kind is EventKind.ADJUST and not event.points):
            raise EventNotVoidable
    for target in (target for target in targets if target.is_void is not is_void):
        board, points = target.event.board, target.event.points
        if not draft.facts.definitions[board].is_additive:
            # The values are no sums, from which points could be subtracted.
            points = 0
        draft.append(board, kind, -points if is_void else points, target)


def _ban(draft: _CorrectionDraft) -> None:
    _unlist(draft, is_unlisted=draft.player.is_banned)


def _hide(draft: _CorrectionDraft) -> None:
    if not draft.facts.standings and draft.correction.board is not None:
        # Before the first score. The audit log needs an event: one without points starts the standing.
        draft.append(draft.correction.board, EventKind.ADJUST)
    _unlist(draft, is_unlisted=draft.player.is_hidden)


def _unlist(draft: _CorrectionDraft, *, is_unlisted: bool) -> None:
    """Remove the player from all boards. A repeat does so where a program of schema 0002 listed it again."""
    for board, standings in sorted(draft.facts.standings.items()):
        if not is_unlisted or any(standing.listed for standing in standings.values()):
            draft.append(board, draft.correction.kind)


def _append_if_changed(draft: _CorrectionDraft) -> None:
    """Append events, unless the player already is what the correction asks for."""
    if draft.after != draft.player:
        draft.append_to_all()


def _rename(draft: _CorrectionDraft) -> None:
    """Raise NameKept if an administrator has set the name."""
    if draft.player.is_name_kept and not draft.correction.keeps_name:
        raise NameKept
    _append_if_changed(draft)


_BY_KIND: Final[Mapping[EventKind, Callable[[_CorrectionDraft], None]]] = {
    EventKind.ADJUST: _adjust,
    EventKind.VOID: _void_or_restore,
    EventKind.UNVOID: _void_or_restore,
    EventKind.BAN: _ban,
    EventKind.UNBAN: _append_if_changed,
    EventKind.ERASE: _CorrectionDraft.append_to_all,
    EventKind.HIDE: _hide,
    EventKind.SHOW: _append_if_changed,
    EventKind.RENAME: _rename,
    EventKind.RELEASE_NAME: _append_if_changed,
}
