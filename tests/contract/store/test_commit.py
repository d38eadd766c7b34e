"""Each store appends a decision as a whole, or not at all."""

from collections.abc import Sequence

import pytest

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.decisions import NO_DECISION, Acceptance, Decision, Refusal
from scoreboard.domain.facts import BatchFacts
from scoreboard.domain.queries import Page
from scoreboard.domain.submissions import Submission
from scoreboard.ports.store import Store
from tests.contract.conftest import BOTH, OpenStore
from tests.making import DUEL, TEN_A_MINUTE, VISIT, commit, decide_with, submission


async def test_each_board_numbers_its_own_events_without_gaps(store: Store) -> None:
    await commit(store, submission("ada"), submission("bob", VISIT), submission("cyd", DUEL))
    await commit(store, submission("bob"), submission("ada", VISIT))
    main, side = await store.events("main", 0, 10), await store.events("side", 0, 10)
    assert [(e.version, e.action_id) for e in main] == [(1, "quest"), (2, "duel"), (3, "quest")]
    assert [(e.version, e.action_id) for e in side] == [(1, "visit"), (2, "visit")]


async def test_an_event_is_read_as_it_was_committed(store: Store) -> None:
    written = await commit(store, submission("ada", key=7), submission("bob", DUEL))
    assert await store.events("main", 0, 10) == written


async def test_a_player_is_the_same_on_every_board(store: Store) -> None:
    first = await commit(store, submission("ada"), submission("bob"))
    second = await commit(store, submission("bob", VISIT), submission("ada", VISIT))
    assert [e.player for e in second] == [first[1].player, first[0].player]
    assert [e.seq for e in second] == [2, 2]


async def test_a_refusal_does_not_affect_the_rest_of_the_batch(open_store: OpenStore) -> None:
    store = await open_store(limit=TEN_A_MINUTE)
    for _ in range(10):
        await commit(store, submission("ada"), limit=TEN_A_MINUTE)
    decision = await store.commit(
        BOTH, lambda: [submission("ada"), submission("bob")], decide_with(TEN_A_MINUTE)
    )
    assert [type(outcome) for outcome in decision.outcomes] == [Refusal, Acceptance]
    assert (await store.heads())["main"].version == 11


async def test_nothing_is_written_if_the_decision_fails(store: Store) -> None:
    def fail(_batch: Sequence[Submission], _facts: BatchFacts) -> Decision:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store.commit(BOTH, lambda: [submission()], fail)
    assert (await store.heads())["main"].version == 0
    assert len(await commit(store, submission())) == 1


async def test_an_empty_batch_writes_nothing(store: Store) -> None:
    assert await store.commit(BOTH, list, decide_with()) == NO_DECISION


async def test_a_player_has_the_last_name_that_was_sent(store: Store) -> None:
    await commit(store, submission("ada", name="Ada"))
    await commit(store, submission("ada"))
    assert (await store.read("main", ALL_TIME, Page(1))).entries[0].name == "Ada"
    await commit(store, submission("ada", name="Countess"))
    assert (await store.read("main", ALL_TIME, Page(1))).entries[0].name == "Countess"


async def test_any_text_is_stored_unchanged(store: Store) -> None:
    users = ["'; DROP TABLE players; --", '"[]{}', "שלום", "🎮" * 32, "a b", "\\u0000", "%00", "null"]
    await commit(store, *(submission(user, name=user) for user in users))
    entries = (await store.read("main", ALL_TIME, Page(100))).entries
    assert [(e.user_id, e.name) for e in entries] == [(user, user) for user in users]
