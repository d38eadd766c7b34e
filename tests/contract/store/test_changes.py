"""Each store returns what changed after a version, in pages that bring a copy up to date."""

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.queries import Page
from scoreboard.domain.standings import Change, ChangeKind, Standing
from scoreboard.ports.store import Store
from tests.making import DUEL, commit, submission


async def all_changes(store: Store, page_size: int) -> list[Change]:
    pages = [await store.changes("main", 0, page_size)]
    while pages[-1].kind is ChangeKind.PAGE:
        pages.append(await store.changes("main", pages[-1].to_version, page_size))
    return pages


async def test_changes_are_the_standings_that_changed_after_a_version(store: Store) -> None:
    await commit(store, submission("ada"), submission("bob"))
    await commit(store, submission("ada"))
    change = await store.changes("main", 2, 10)
    assert (change.kind, change.from_version, change.to_version) == (ChangeKind.LAST_PAGE, 2, 3)
    assert [(s.user_id, s.score, s.version) for s in change.standings] == [("ada", 100, 3)]


async def test_pages_of_changes_end_with_a_last_one(store: Store) -> None:
    await commit(store, *(submission(f"user-{n}") for n in range(4)))
    pages = await all_changes(store, page_size=2)
    assert [page.kind for page in pages] == [ChangeKind.PAGE, ChangeKind.PAGE, ChangeKind.LAST_PAGE]
    assert [(page.from_version, page.to_version) for page in pages] == [(0, 2), (2, 4), (4, 4)]


async def test_pages_of_changes_add_up_to_the_board_despite_commits_meanwhile(store: Store) -> None:
    await commit(store, *(submission(f"user-{n}") for n in range(6)))
    copy: dict[int, Standing] = {}
    after = 0
    for turn in range(20):
        page = await store.changes("main", after, 2)
        copy.update((s.player, s) for s in page.standings)
        after = page.to_version
        if page.kind is ChangeKind.LAST_PAGE:
            break
        if turn < 8:
            await commit(store, submission(f"user-{turn % 6}", DUEL))
    board = await store.read("main", ALL_TIME, Page(100))
    assert after == board.version
    order = sorted(copy.values(), key=lambda one: (-one.score, one.reached_version))
    assert [s.user_id for s in order] == [e.user_id for e in board.entries]
