"""Each store keeps the order of time on a board, whatever the clock does."""

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.queries import Page
from scoreboard.ports.store import Store
from tests.clocks import HeldClock
from tests.making import VISIT, commit, submission


async def test_time_never_decreases_on_a_board(store: Store, clock: HeldClock) -> None:
    (first,) = await commit(store, submission("ada"))
    clock.advance(-3_600)
    (second,) = await commit(store, submission("bob"))
    assert (second.at_us, second.reading_us) == (first.at_us, clock.us)
    assert await store.events("main", 0, 10) == [first, second]
    assert (await store.heads())["main"].reading_us == clock.us
    assert (
        (await store.read("main", ALL_TIME, Page(1))).reading_us
        == (await store.changes("main", 1, 1)).reading_us
        == clock.us
    )


async def test_readings_do_not_decrease_in_a_small_step_back(store: Store, clock: HeldClock) -> None:
    (first,) = await commit(store, submission("ada"))
    clock.advance(-1)
    main, side = await commit(store, submission("bob"), submission("cyd", VISIT))
    assert (main.reading_us, side.reading_us) == (first.at_us, clock.us)
