"""What comes of a correction: pure, as `rules` is. Each is one event or more of the boards' one history.

All but an adjustment are safe to repeat: what is so already makes no event.
"""

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
    """The events of a correction, what they change, and the player as it is then: nothing where all is so already.

    A repeat of an adjustment is the event that it made. Raises UnknownPlayer, UnknownEvent, EventNotVoidable,
    ScoreOutOfRange, IdempotencyKeyReused, NameKept.
    """
    if facts.player is None:
        if correction.user_id is None:
            raise UnknownEvent(correction.board or "", correction.target_version or 0)
        raise UnknownPlayer(correction.user_id)
    if facts.repeated is not None:
        known = facts.repeated
        if (known.kind, known.board, known.points) != (correction.kind, correction.board, correction.points):
            raise IdempotencyKeyReused
        return Decision((Acceptance(known, replayed=True),), (), ()), None
    case = _Case(correction, facts, facts.player, new_id)
    _KINDS[correction.kind](case)
    return case.decision(), case.after


_ENDS: Final = frozenset({EventKind.UNBAN, EventKind.SHOW})


def _who_after(correction: Correction, player: Player) -> Player:
    """The player once the correction is in the ledger."""
    if correction.kind is EventKind.ERASE:
        # Of two names the one with the higher `seq` is newer: nothing that is still under way brings the old one back.
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


class _Case:
    """The events so far, and where the player stands after them."""

    def __init__(self, correction: Correction, facts: CorrectionFacts, player: Player, new_id: NewId) -> None:
        self.correction = correction
        self.facts = facts
        self.player = player
        self.events: list[Event] = []
        self.standings: dict[str, Standing] = dict(facts.standings)
        self.after = _who_after(correction, player)
        self._new_id = new_id
        self._heads: dict[str, Head] = {}

    def add(self, board: str, kind: EventKind, points: int = 0, target_version: int | None = None) -> None:
        """Raises ScoreOutOfRange."""
        before = self.standings.get(board)
        head = self._heads.get(board) or self.facts.heads[board]
        score = (before.score if before else 0) + points
        if abs(score) > MAX_SCORE:
            raise ScoreOutOfRange
        at_us, clock_us = order_us(judged_us(self.facts.at_us, head), head)
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
            # The first one stands for all: they come together or not at all.
            idempotency_digest=None if self.events else self.correction.idempotency_digest,
            target_version=target_version,
            clock_us=clock_us,
            hides=before is None and self.player.is_hidden,
        )
        self.events.append(event)
        self._heads[board] = head_after(event)
        self.standings[board] = fold(
            before,
            event,
            self.after.user_id,
            self.after.name,
            reached=None if target_version is None else self.facts.reached[board],
            listed=not (self.after.is_banned or self.after.is_hidden) if kind in _ENDS else None,
        )

    def decision(self) -> Decision:
        changes = tuple(
            Change(
                board=board,
                kind=ChangeKind.STEP,
                from_version=self.facts.heads[board].version,
                to_version=head.version,
                at_us=head.reading_us,
                standings=(replace(self.standings[board], seq=self.after.stamp),),
            )
            for board, head in sorted(self._heads.items())
        )
        return Decision((), tuple(self.events), changes)


def _adjust(case: _Case) -> None:
    board = case.correction.board or ""
    if not case.correction.points:
        return
    is_new = board not in case.standings
    case.add(board, EventKind.ADJUST, case.correction.points)
    if is_new and case.player.is_banned:
        case.add(board, EventKind.BAN)


def _void(case: _Case) -> None:
    _check_target(case)
    for target in case.facts.targets:
        if not target.is_void:
            case.add(target.event.board, EventKind.VOID, -target.event.points, target.event.version)


def _unvoid(case: _Case) -> None:
    _check_target(case)
    for target in case.facts.targets:
        if target.is_void:
            case.add(target.event.board, EventKind.UNVOID, target.event.points, target.event.version)


def _check_target(case: _Case) -> None:
    if any(target.event.kind not in VOIDABLE for target in case.facts.targets):
        raise EventNotVoidable


def _ban(case: _Case) -> None:
    _take_off(case, is_off=case.player.is_banned)


def _unban(case: _Case) -> None:
    if case.player.is_banned:
        _on_all_boards(case)


def _hide(case: _Case) -> None:
    _take_off(case, is_off=case.player.is_hidden)


def _show(case: _Case) -> None:
    if case.player.is_hidden:
        _on_all_boards(case)


def _take_off(case: _Case, *, is_off: bool) -> None:
    """Remove the player from all boards; if already hidden, from those where a program of schema 0002 put it back."""
    for board, standing in sorted(case.facts.standings.items()):
        if standing.listed or not is_off:
            case.add(board, case.correction.kind)


def _rename(case: _Case) -> None:
    """Raise NameKept if an administrator has set the name."""
    if case.player.is_name_kept and not case.correction.keeps_name:
        raise NameKept
    if case.after != case.player:
        _on_all_boards(case)


def _release_name(case: _Case) -> None:
    if case.player.is_name_kept:
        _on_all_boards(case)


def _on_all_boards(case: _Case) -> None:
    for board in sorted(case.facts.standings):
        case.add(board, case.correction.kind)


_KINDS: Final = {
    EventKind.ADJUST: _adjust,
    EventKind.VOID: _void,
    EventKind.UNVOID: _unvoid,
    EventKind.BAN: _ban,
    EventKind.UNBAN: _unban,
    EventKind.ERASE: _on_all_boards,
    EventKind.HIDE: _hide,
    EventKind.SHOW: _show,
    EventKind.RENAME: _rename,
    EventKind.RELEASE_NAME: _release_name,
}
