"""Each store registers boards."""

from dataclasses import replace

import pytest

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.definitions import Aggregation, Definition, Sort, Ties
from scoreboard.domain.errors import SchemaError
from scoreboard.domain.queries import Page
from scoreboard.domain.standings import Change, ChangeKind
from scoreboard.ports.store import Store
from scoreboard.store.rejected_content import ContentRejected
from tests.contract.conftest import OpenStore, Query
from tests.making import MAIN, SIDE, VISIT, commit, submission


async def test_a_new_board_has_no_history(store: Store) -> None:
    heads = await store.heads()
    assert (heads["main"].version, heads["main"].at_us) == (0, 0)
    assert (await store.read("main", ALL_TIME, Page(10))).entries == ()
    assert await store.events("main", 0, 10) == []
    assert await store.changes("main", 0, 10) == Change("main", ChangeKind.LAST_PAGE, 0, 0, 0, ())


async def test_boards_are_registered_once(store: Store) -> None:
    await commit(store, submission())
    await store.register_boards([MAIN, SIDE])
    assert (await store.heads())["main"].version == 1


BEST_LAP = Definition(Aggregation.BEST, Sort.ASCENDING, ties=Ties.SHARED)


async def test_the_definition_of_a_board_can_change_until_its_first_event(store: Store) -> None:
    lap = replace(SIDE, definition=BEST_LAP)
    await store.register_boards([MAIN, lap])
    assert (await store.definitions())["side"] == BEST_LAP
    await store.register_boards([MAIN, SIDE])
    await commit(store, submission(action=VISIT))
    with pytest.raises(SchemaError, match=r"“side”.*`aggregation` and `sort` and `ties`"):
        await store.register_boards([MAIN, lap])
    assert (await store.definitions())["side"] == SIDE.definition


async def test_a_process_with_an_older_definition_of_an_empty_board_writes_nothing(
    open_store: OpenStore,
) -> None:
    older, newer = await open_store(), await open_store(boards=[MAIN, replace(SIDE, definition=BEST_LAP)])
    with pytest.raises(ContentRejected, match=r"“side”.*`aggregation`"):
        await commit(older, submission(action=VISIT))
    assert (await newer.heads())["side"].version == 0
    assert len(await commit(older, submission())) == 1


async def test_a_definition_that_this_program_does_not_know_is_refused(store: Store, query: Query) -> None:
    query("UPDATE boards SET fold = 'median, ascending' WHERE id = 'side'")
    with pytest.raises(SchemaError, match=r"side.*median, ascending"):
        await store.register_boards([MAIN, SIDE])
    with pytest.raises(SchemaError, match=r"side.*median, ascending"):
        await store.definitions()
    await store.register_boards([MAIN])
