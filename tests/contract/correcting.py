"""Corrections, and checks of the boards after them."""

from functools import partial
from uuid import uuid4

from scoreboard.domain import corrections
from scoreboard.domain.administration import Correction
from scoreboard.domain.decisions import Decision
from scoreboard.domain.events import EventKind
from scoreboard.ports.admin_store import AdminStore
from scoreboard.services.verify import verify


def about(kind: EventKind, user_id: str = "ada", **given: object) -> Correction:
    return Correction(kind, "root", "a test", user_id=user_id, **given)  # type: ignore[arg-type]


def of_event(kind: EventKind, version: int) -> Correction:
    return Correction(kind, "root", "a test", board="main", target_version=version)


async def correct(store: AdminStore, correction: Correction) -> Decision:
    return await store.correct(correction, partial(corrections.correct, correction, new_id=uuid4))


async def ranks(store: AdminStore, board: str = "main") -> list[tuple[str, int]]:
    return [(entry.user_id, entry.score) for entry in (await store.page(board, 100, 0)).entries]


async def is_consistent(store: AdminStore) -> bool:
    """Return True if `verify` finds no differences on any board."""
    verdicts = [await verify(store, None, board, lambda *_: None) for board in ("main", "side")]
    return not any(verdict.differences for verdict in verdicts)
