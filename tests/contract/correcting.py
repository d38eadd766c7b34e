"""Corrections, and checks of the boards after them."""

from functools import partial
from uuid import uuid4

from scoreboard.domain import corrections
from scoreboard.domain.administration import Correction
from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.decisions import Decision
from scoreboard.domain.events import EventKind
from scoreboard.domain.queries import Page
from scoreboard.ports.admin_store import AdminStore
from scoreboard.services.verify import verify
from tests.replay import replay


def about(kind: EventKind, user_id: str = "ada", **given: object) -> Correction:
    return Correction(kind, "root", "a test", user_id=user_id, **given)  # type: ignore[arg-type]


def of_event(kind: EventKind, version: int) -> Correction:
    return Correction(kind, "root", "a test", board="main", target_version=version)


async def correct(store: AdminStore, correction: Correction) -> Decision:
    return await store.correct(correction, partial(corrections.correct, correction, new_id=uuid4))


async def ranks(store: AdminStore, board: str = "main") -> list[tuple[str, int]]:
    return [(entry.user_id, entry.score) for entry in (await store.read(board, ALL_TIME, Page(100))).entries]


async def check_boards(store: AdminStore) -> None:
    """Check that each board is the replay of its ledger, and that `verify` finds no differences."""
    for board in ("main", "side"):
        ledger = await store.events(board, 0, 1_000)
        page = await store.read(board, ALL_TIME, Page(100))
        keys = {s.user_id: s.player for s in (await store.changes(board, 0, 1_000)).standings}
        assert [(e.rank, keys[e.user_id], e.score) for e in page.entries] == replay(ledger, len(ledger))
        assert (await verify(store, None, board, lambda *_: None)).differences == ()
