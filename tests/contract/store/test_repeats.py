"""Each store counts an idempotency key and a proof once."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from scoreboard.domain.decisions import Acceptance, Refusal
from scoreboard.domain.errors import IdempotencyKeyReused
from scoreboard.domain.events import EventKind
from scoreboard.ports.admin_store import AdminStore
from scoreboard.ports.store import Store
from tests.contract.conftest import BOTH
from tests.contract.correcting import about, correct, ranks
from tests.making import commit, decide_with, digest, proof, submission


async def test_a_repeat_returns_the_same_event_and_is_written_once(store: Store) -> None:
    (event,) = await commit(store, submission("ada", key=7))
    again = await store.commit(BOTH, lambda: [submission("ada", key=7)], decide_with())
    assert again.outcomes == (Acceptance(event, replayed=True),)
    assert (await store.heads())["main"].version == 1


async def test_a_key_and_a_proof_are_found_under_an_earlier_digest(store: Store) -> None:
    """An earlier version wrote the event, or the secret has changed since."""
    old = replace(submission("ada", key=1), proof=proof(2))
    (first,) = await commit(store, old)
    again = replace(submission("ada"), key=digest(3, 4, 1))
    decision = await store.commit({"main"}, lambda: [again], decide_with())
    assert decision.outcomes == (Acceptance(first, replayed=True),)
    redeemed = replace(submission("bob"), proof=proof(5, 6, 2))
    decision = await store.commit({"main"}, lambda: [redeemed, submission("cyd", key=1)], decide_with())
    assert [type(outcome) for outcome in decision.outcomes] == [Refusal, Acceptance]


async def test_an_adjustment_is_repeated_only_by_its_idempotency_key(store: AdminStore) -> None:
    await commit(store, submission("ada"))
    five = about(EventKind.ADJUST, board="main", points=5, idempotency_digest=UUID(int=7))
    made = (await correct(store, five)).events
    assert (await correct(store, five)).outcomes == (Acceptance(made[0], replayed=True),)
    rekeyed = replace(
        five, idempotency_digest=UUID(int=8), earlier_digests=(UUID(int=9).bytes, UUID(int=7).bytes)
    )
    assert (await correct(store, rekeyed)).outcomes == (Acceptance(made[0], replayed=True),)
    with pytest.raises(IdempotencyKeyReused):
        await correct(store, replace(five, points=500))
    assert await ranks(store) == [("ada", 55)]


async def test_a_proof_does_not_count_again_after_an_erasure(store: AdminStore) -> None:
    proved = replace(submission("ada"), proof=proof(7))
    assert len(await commit(store, proved)) == 1
    await correct(store, about(EventKind.ERASE))
    assert await commit(store, replace(proved, event_id=uuid4())) == []
