"""Each store forgets an erased player."""

from scoreboard.domain.administration import Correction, SuspicionThresholds
from scoreboard.domain.events import ERASED_MARK, EventKind
from scoreboard.ports.admin_store import AdminStore
from tests.clocks import HeldClock
from tests.contract.conftest import Query
from tests.contract.correcting import about, check_boards, correct, ranks
from tests.making import VISIT, commit, submission


async def test_an_erased_player_is_in_no_row_and_the_scores_add_up(store: AdminStore, query: Query) -> None:
    await commit(store, submission("ada-secret", name="Ada Secret"), submission("bob"))
    await commit(store, submission("ada-secret", VISIT))
    await correct(store, Correction(EventKind.ADJUST, "root", "Ada Secret asked", "ada-secret", "main", 5))
    await correct(store, about(EventKind.ERASE, "ada-secret"))
    assert await ranks(store) == [("bob", 50)]
    await check_boards(store)
    tables = ("players", "score_events", "standings", "corrections", "boards")
    assert "ecret" not in str([query(f"SELECT * FROM {table}") for table in tables])
    (own,) = await commit(store, submission("ada-secret"))
    assert (own.score, own.seq) == (50, 1)


async def test_an_erased_player_is_not_a_suspect(store: AdminStore, clock: HeldClock) -> None:
    await commit(store, submission("ada"))
    assert len(await store.suspects(clock.us, SuspicionThresholds(awards_an_hour=1), 10)) == 1
    await correct(store, about(EventKind.ERASE))
    assert await store.suspects(clock.us, SuspicionThresholds(awards_an_hour=1), 10) == []


async def test_a_late_name_does_not_restore_an_erased_player(store: AdminStore) -> None:
    await commit(store, submission("ada", name="Ada"))
    before = (await store.changes("main", 0, 1)).standings[0]
    decision = await correct(store, about(EventKind.ERASE))
    after = decision.changes[0].standings[0]
    assert after.user_id == f"{ERASED_MARK}{before.player}"
    assert (after.name, after.name_version) == (None, before.name_version + 1)
