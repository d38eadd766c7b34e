"""Each store registers boards."""

import pytest

from scoreboard.domain.errors import SchemaError
from scoreboard.domain.standings import Change, ChangeKind
from scoreboard.ports.store import Store
from tests.contract.conftest import Query
from tests.making import MAIN, SIDE, commit, submission


async def test_a_new_board_has_no_history(store: Store) -> None:
    heads = await store.heads()
    assert (heads["main"].version, heads["main"].at_us) == (0, 0)
    assert (await store.page("main", 10, 0)).entries == ()
    assert await store.events("main", 0, 10) == []
    assert await store.changes("main", 0, 10) == Change("main", ChangeKind.LAST_PAGE, 0, 0, 0, ())


async def test_boards_are_registered_once(store: Store) -> None:
    await commit(store, submission())
    await store.register_boards([MAIN, SIDE])
    assert (await store.heads())["main"].version == 1


async def test_a_board_that_another_program_computes_differently_is_refused(
    store: Store, query: Query
) -> None:
    query("UPDATE boards SET fold = 'best, ascending' WHERE id = 'side'")
    with pytest.raises(SchemaError, match=r"side.*best, ascending"):
        await store.register_boards([MAIN, SIDE])
    await store.register_boards([MAIN])
