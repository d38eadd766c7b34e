"""Decide about corrections: pure functions from facts to events, like `rules` for submissions.

A correction makes one event on each board that it changes, and none if it is already in effect. So all
corrections but an adjustment are idempotent.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from scoreboard.domain.administration import Correction, CorrectionFacts
from scoreboard.domain.boards import MAX_SCORE
from scoreboard.domain.decisions import Acceptance, Decision
from scoreboard.domain.effective_history import VOIDABLE
from scoreboard.domain.errors import (
    EventNotVoidable,
    IdempotencyKeyReused,
    NameKept,
    ScoreOutOfRange,
    UnknownEvent,
    UnknownPlayer,
)
from scoreboard.domain.events import ERASED_MARK, Event, EventKind, Head, NewId
from scoreboard.domain.folding import fold
from scoreboard.domain.standings import Change, ChangeKind, Player, Standing
from scoreboard.domain.windows import head_after, judged_us, order_us


def correct(correction: Correction, facts: CorrectionFacts, new_id: NewId) -> tuple[Decision, Player | None]:
    """Return the events of a correction, the changes of standings, and the player after it.

    A repeat of an adjustment returns the event that the first one made.
    Raises UnknownPlayer, UnknownEvent, EventNotVoidable, ScoreOutOfRange, IdempotencyKeyReused, NameKept.
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
    ledger = _Ledger(correction, facts, facts.player, new_id)
    _APPEND[correction.kind](ledger)
    return ledger.decision(), ledger.after


_RELISTING: Final = frozenset({EventKind.UNBAN, EventKind.SHOW})


def _player_after(correction: Correction, player: Player) -> Player:
    """Return the player after the correction."""
    if correction.kind is EventKind.ERASE:
        # Of two names, the one with the higher `seq` is newer: a late change cannot restore the erased name.
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


class _Ledger:
    """Collects the events of a correction, and the player's standings after them."""

    def __init__(self, correction: Correction, facts: CorrectionFacts, player: Player, new_id: NewId) -> None:
        self.correction = correction
        self.facts = facts
        self.player = player
        self.events: list[Event] = []
        self.standings: dict[str, Standing] = dict(facts.standings)
        self.after = _player_after(correction, player)
        self._new_id = new_id
        self._heads: dict[str, Head] = {}

    def append(self, board: str, kind: EventKind, points: int = 0, target_version: int | None = None) -> None:
        """Append an event to a board. Raises ScoreOutOfRange."""
        before = self.standings.get(board)
        head = self._heads.get(board) or self.facts.heads[board]
        score = (before.score if before else 0) + points
        if abs(score) > MAX_SCORE:
            raise ScoreOutOfRange
        at_us, clock_us = order_us(judged_us(self.facts.reading_us, head), head)
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
            score=score,
            at_us=at_us,
            # Only the first event has it: all events of a correction are committed together.
            idempotency_digest=None if self.events else self.correction.idempotency_digest,
            target_version=target_version,
            clock_us=clock_us,
            hides=before is None and self.after.is_hidden,
        )
        self.events.append(event)
        self._heads[board] = head_after(event)
        self.standings[board] = fold(
            before,
            event,
            self.after.user_id,
            self.after.name,
            reached=None if target_version is None else self.facts.reached[board],
            listed=not (self.after.is_banned or self.after.is_hidden) if kind in _RELISTING else None,
        )

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
                standings=(replace(self.standings[board], name_version=self.after.name_version),),
            )
            for board, head in sorted(self._heads.items())
        )
        return Decision((), tuple(self.events), changes)


def _adjust(ledger: _Ledger) -> None:
    board = ledger.correction.board or ""
    if not ledger.correction.points:
        return
    is_new = board not in ledger.standings
    ledger.append(board, EventKind.ADJUST, ledger.correction.points)
    if is_new and ledger.player.is_banned:
        ledger.append(board, EventKind.BAN)


def _void_or_restore(ledger: _Ledger) -> None:
    """Void the targets that count, or restore those that are void. Raises EventNotVoidable."""
    targets, kind = ledger.facts.targets, ledger.correction.kind
    is_void = kind is EventKind.VOID
    for event in (target.event for target in targets):
        if event.kind not in VOIDABLE or (event.kind is EventKind.ADJUST and not event.points):
            raise EventNotVoidable
    for event in (target.event for target in targets if target.is_void is not is_void):
        ledger.append(event.board, kind, -event.points if is_void else event.points, event.version)


def _ban(ledger: _Ledger) -> None:
    _unlist(ledger, is_unlisted=ledger.player.is_banned)


def _hide(ledger: _Ledger) -> None:
    if not ledger.standings and ledger.correction.board is not None:
        # Before the first score. The audit log needs an event: one without points starts the standing.
        ledger.append(ledger.correction.board, EventKind.ADJUST)
    _unlist(ledger, is_unlisted=ledger.player.is_hidden)


def _unlist(ledger: _Ledger, *, is_unlisted: bool) -> None:
    """Remove the player from all boards. A repeat does so where a program of schema 0002 listed it again."""
    for board, standing in sorted(ledger.facts.standings.items()):
        if standing.listed or not is_unlisted:
            ledger.append(board, ledger.correction.kind)


def _append_if_changed(ledger: _Ledger) -> None:
    """Append events, unless the player already is what the correction asks for."""
    if ledger.after != ledger.player:
        ledger.append_to_all()


def _rename(ledger: _Ledger) -> None:
    """Raise NameKept if an administrator has set the name."""
    if ledger.player.is_name_kept and not ledger.correction.keeps_name:
        raise NameKept
    _append_if_changed(ledger)


_APPEND: Final[Mapping[EventKind, Callable[[_Ledger], None]]] = {
    EventKind.ADJUST: _adjust,
    EventKind.VOID: _void_or_restore,
    EventKind.UNVOID: _void_or_restore,
    EventKind.BAN: _ban,
    EventKind.UNBAN: _append_if_changed,
    EventKind.ERASE: _Ledger.append_to_all,
    EventKind.HIDE: _hide,
    EventKind.SHOW: _append_if_changed,
    EventKind.RENAME: _rename,
    EventKind.RELEASE_NAME: _append_if_changed,
}
