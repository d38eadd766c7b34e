"""What every store keeps (`interfaces.Store`)."""

import asyncio
import sqlite3
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace

import asyncpg
import pytest

from scoreboard.domain.boards import RateLimit
from scoreboard.domain.decisions import NO_DECISION, Acceptance, Decision, Refusal
from scoreboard.domain.errors import SchemaError
from scoreboard.domain.events import Event, Head
from scoreboard.domain.facts import ActionUse, BatchFacts
from scoreboard.domain.standings import Change, ChangeKind, Player, Standing, order_key
from scoreboard.domain.submissions import Submission
from scoreboard.ports.store import Store
from tests.clocks import HeldClock
from tests.contract.conftest import BOTH, Ask, MakeStore, OpenStore
from tests.limits import LIMIT_SECONDS
from tests.making import (
    DUEL,
    MAIN,
    QUEST,
    SIDE,
    TEN_A_MINUTE,
    VISIT,
    commit,
    decide_with,
    digest,
    proof,
    submission,
)


async def facts_of(store: Store, *batch: Submission) -> BatchFacts:
    """Return the facts that a store reads about a batch. Nothing is written."""
    seen: list[BatchFacts] = []

    def look(_batch: Sequence[Submission], facts: BatchFacts) -> Decision:
        seen.append(facts)
        return NO_DECISION

    await store.commit(BOTH, lambda: batch, look)
    return seen[0]


async def all_changes(store: Store, page_size: int) -> list[Change]:
    pages = [await store.changes("main", 0, page_size)]
    while pages[-1].kind is ChangeKind.PAGE:
        pages.append(await store.changes("main", pages[-1].to_version, page_size))
    return pages


async def test_a_new_board_has_no_history(store: Store) -> None:
    heads = await store.heads()
    assert (heads["main"].version, heads["main"].at_us) == (0, 0)
    assert (await store.page("main", 10, 0)).entries == ()
    assert await store.events("main", 0, 10) == []
    assert await store.changes("main", 0, 10) == Change("main", ChangeKind.LAST_PAGE, 0, 0, 0, ())


async def test_boards_are_ensured_once(store: Store) -> None:
    await commit(store, submission())
    await store.register_boards([MAIN, SIDE])
    assert (await store.heads())["main"].version == 1


async def test_each_board_numbers_its_own_events_without_a_gap(store: Store) -> None:
    await commit(store, submission("ada"), submission("bob", VISIT), submission("cyd", DUEL))
    await commit(store, submission("bob"), submission("ada", VISIT))
    main, side = await store.events("main", 0, 10), await store.events("side", 0, 10)
    assert [(e.version, e.action_id) for e in main] == [(1, "quest"), (2, "duel"), (3, "quest")]
    assert [(e.version, e.action_id) for e in side] == [(1, "visit"), (2, "visit")]


async def test_what_was_committed_is_read_back_as_it_was(store: Store) -> None:
    written = await commit(store, submission("ada", key=7), submission("bob", DUEL))
    assert await store.events("main", 0, 10) == written


async def test_the_ledger_is_read_in_stretches(store: Store) -> None:
    await commit(store, *(submission(f"user-{n}") for n in range(5)))
    assert [e.version for e in await store.events("main", 2, 2)] == [3, 4]


async def test_a_player_is_one_on_every_board(store: Store) -> None:
    first = await commit(store, submission("ada"), submission("bob"))
    second = await commit(store, submission("bob", VISIT), submission("ada", VISIT))
    assert [e.player for e in second] == [first[1].player, first[0].player]
    assert [e.seq for e in second] == [2, 2]


async def test_the_facts_of_somebody_new(store: Store, clock: HeldClock) -> None:
    facts = await facts_of(store, submission("ada"))
    (known,) = facts.submissions
    assert (facts.at_us, facts.heads["main"]) == (clock.us, Head(0, 0))
    assert (known.player.seq, known.standing, known.use) == (0, None, ActionUse())
    assert (known.limit_us, known.repeated) == (None, None)


async def test_two_new_players_of_a_batch_get_different_keys(store: Store) -> None:
    one, other = (await facts_of(store, submission("ada"), submission("bob"))).submissions
    assert one.player.key != other.player.key


async def test_the_facts_of_somebody_known(store: Store, clock: HeldClock) -> None:
    await commit(store, submission("ada", QUEST, name="Ada"))
    clock.advance(1)
    (last,) = await commit(store, submission("ada", DUEL))
    clock.advance(1)
    facts = await facts_of(store, submission("ada", DUEL))
    (known,) = facts.submissions
    assert (facts.at_us, facts.heads["main"].version) == (clock.us, 2)
    assert known.player == Player(last.player, "ada", "Ada", seq=2, is_banned=False)
    assert known.use == ActionUse(1, last.at_us)
    assert known.standing == Standing(last.player, "ada", "Ada", 80, 2, last.at_us, version=2, seq=2)


async def test_the_facts_keep_the_order_of_the_batch(store: Store) -> None:
    users = [f"user-{n}" for n in (3, 1, 2, 0)]
    await commit(store, *map(submission, users))
    facts = await facts_of(store, *map(submission, reversed(users)))
    assert [known.standing and known.standing.user_id for known in facts.submissions] == users[::-1]


async def test_the_time_of_the_submission_that_lies_the_limit_back(
    open_store: OpenStore, clock: HeldClock
) -> None:
    store = await open_store(RateLimit(3, 60_000_000))
    times = []
    for _ in range(5):
        clock.advance(61)
        times.append(clock.us)
        await commit(store, submission())
    (known,) = (await facts_of(store, submission())).submissions
    assert known.limit_us == times[-3]


async def test_a_key_finds_the_event_that_it_stands_for(store: Store) -> None:
    (event,) = await commit(store, submission("ada", key=7))
    facts = await facts_of(
        store, submission("ada", DUEL, key=7), submission("bob", key=7), submission("cyd", key=8)
    )
    same, other_key, other_player = facts.submissions
    assert same.repeated == event
    assert other_key.repeated is None
    assert other_player.repeated is None


async def test_a_repeat_is_the_same_event_and_is_written_once(store: Store) -> None:
    (event,) = await commit(store, submission("ada", key=7))
    again = await store.commit(BOTH, lambda: [submission("ada", key=7)], decide_with())
    assert again.outcomes == (Acceptance(event, replayed=True),)
    assert (await store.heads())["main"].version == 1


async def test_one_refused_submission_fails_alone(open_store: OpenStore) -> None:
    store = await open_store(TEN_A_MINUTE)
    for _ in range(10):
        await commit(store, submission("ada"), limit=TEN_A_MINUTE)
    decision = await store.commit(
        BOTH, lambda: [submission("ada"), submission("bob")], decide_with(TEN_A_MINUTE)
    )
    assert [type(outcome) for outcome in decision.outcomes] == [Refusal, Acceptance]
    assert (await store.heads())["main"].version == 11


async def test_the_order_of_time_never_goes_back_on_a_board(store: Store, clock: HeldClock) -> None:
    (first,) = await commit(store, submission("ada"))
    clock.advance(-3_600)
    (second,) = await commit(store, submission("bob"))
    assert (second.at_us, second.reading_us) == (first.at_us, clock.us)
    assert await store.events("main", 0, 10) == [first, second]
    assert (await store.heads())["main"].reading_us == clock.us
    assert (await store.page("main", 1, 0)).at_us == (await store.changes("main", 1, 1)).at_us == clock.us


async def test_the_clock_holds_still_on_a_board_through_a_small_step_back(
    store: Store, clock: HeldClock
) -> None:
    (first,) = await commit(store, submission("ada"))
    clock.advance(-1)
    main, side = await commit(store, submission("bob"), submission("cyd", VISIT))
    assert (main.reading_us, side.reading_us) == (first.at_us, clock.us)


async def test_a_board_does_not_catch_the_wrong_time_of_another_one(store: Store, clock: HeldClock) -> None:
    await commit(store, submission("ada"))
    clock.advance(-86_400)
    main, side = await commit(store, submission("bob"), submission("cyd", VISIT))
    assert (main.at_us, side.at_us) == (clock.us + 86_400_000_000, clock.us)
    head = (await facts_of(store, submission("bob", VISIT))).heads["side"]
    assert (head.at_us, head.clock_us) == (clock.us, None)


async def test_facts_tell_what_the_clock_said(open_store: OpenStore, clock: HeldClock) -> None:
    store = await open_store(RateLimit(1, 60_000_000))
    await commit(store, submission("ada"))
    clock.advance(-3_600)
    (event,) = await commit(store, submission("bob", key=5))
    (known,) = (await facts_of(store, submission("bob", replace(QUEST, max_per_day=1), key=5))).submissions
    assert (known.use, known.limit_us) == (ActionUse(1, clock.us, clock.us), clock.us)
    assert known.repeated == event


async def test_what_the_clock_said_cannot_be_changed(store: Store, ask: Ask) -> None:
    await commit(store, submission("ada"))
    with pytest.raises((sqlite3.Error, asyncpg.PostgresError), match="append-only"):
        ask("UPDATE score_events SET clock_us = 7")


async def test_a_name_is_the_newest_that_was_given(store: Store) -> None:
    await commit(store, submission("ada", name="Ada"))
    await commit(store, submission("ada"))
    assert (await store.page("main", 1, 0)).entries[0].name == "Ada"
    await commit(store, submission("ada", name="Countess"))
    assert (await store.page("main", 1, 0)).entries[0].name == "Countess"


async def test_any_text_is_kept_as_it_is(store: Store) -> None:
    users = ["'; DROP TABLE players; --", '"[]{}', "שלום", "🎮" * 32, "a b", "\\u0000", "%00", "null"]
    await commit(store, *(submission(user, name=user) for user in users))
    entries = (await store.page("main", 100, 0)).entries
    assert [(e.user_id, e.name) for e in entries] == [(user, user) for user in users]


async def test_pages_are_in_the_order(store: Store) -> None:
    await commit(store, submission("ada", DUEL), submission("bob", DUEL), submission("cyd", QUEST))
    first, second = await store.page("main", 2, 0), await store.page("main", 2, 2)
    assert [(e.rank, e.user_id, e.score) for e in first.entries] == [(1, "cyd", 50), (2, "ada", 30)]
    assert [(e.rank, e.user_id, e.score) for e in second.entries] == [(3, "bob", 30)]
    assert (first.version, first.players) == (3, 3)


async def test_who_is_not_listed_is_on_no_page(store: Store) -> None:
    await commit(store, submission("ada"))

    def unlist(batch: Sequence[Submission], facts: BatchFacts) -> Decision:
        decision = decide_with()(batch, facts)
        (step,) = decision.changes
        hidden = tuple(replace(standing, listed=False) for standing in step.standings)
        return replace(decision, changes=(replace(step, standings=hidden),))

    await store.commit(BOTH, lambda: [submission("bob"), submission("cyd")], unlist)
    page = await store.page("main", 10, 0)
    assert (page.players, [entry.user_id for entry in page.entries]) == (1, ["ada"])
    assert [s.listed for s in (await store.changes("main", 0, 10)).standings] == [True, False, False]


async def test_changes_after_a_version_are_what_was_touched_since(store: Store) -> None:
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


async def test_pages_of_changes_are_the_board_though_it_is_written_to_meanwhile(store: Store) -> None:
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
    board = await store.page("main", 100, 0)
    assert after == board.version
    assert [s.user_id for s in sorted(copy.values(), key=order_key)] == [e.user_id for e in board.entries]


async def test_nothing_is_written_where_settling_fails(store: Store) -> None:
    def fail(_batch: Sequence[Submission], _facts: BatchFacts) -> Decision:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store.commit(BOTH, lambda: [submission()], fail)
    assert (await store.heads())["main"].version == 0
    assert len(await commit(store, submission())) == 1


async def test_a_turn_without_submissions_writes_nothing(store: Store) -> None:
    assert await store.commit(BOTH, list, decide_with()) == NO_DECISION


async def test_two_processes_write_one_history(open_store: OpenStore) -> None:
    one, other = await open_store(), await open_store()
    for _ in range(5):
        await asyncio.gather(commit(one, submission("ada")), commit(other, submission("ada", DUEL)))
    events = await one.events("main", 0, 100)
    assert [e.version for e in events] == list(range(1, 11))
    assert [e.seq for e in events] == list(range(1, 11))
    assert events[-1].score == 5 * 80
    assert await other.heads() == await one.heads()


async def test_a_batch_is_taken_only_when_its_turn_has_come(make_store: MakeStore, store: Store) -> None:
    has_the_turn, taken = threading.Event(), threading.Event()
    waited: list[bool] = []

    def hold(_batch: Sequence[Submission], _facts: BatchFacts) -> Decision:
        has_the_turn.set()
        waited.append(not taken.wait(0.3))
        return NO_DECISION

    async def another_process() -> None:
        async with make_store() as other:
            await other.register_boards([MAIN, SIDE])
            await other.commit({"main"}, lambda: [submission()], hold)

    def take() -> Sequence[Submission]:
        taken.set()
        return [submission("late")]

    with ThreadPoolExecutor(1) as elsewhere:
        holding = elsewhere.submit(asyncio.run, another_process())
        assert await asyncio.to_thread(has_the_turn.wait, LIMIT_SECONDS)
        await store.commit({"main"}, take, decide_with())
        holding.result()
    assert waited == [True]
    assert (await store.heads())["main"].version == 1


@pytest.mark.parametrize("known", [True, False], ids=["known", "new"])
async def test_one_player_on_two_boards_at_once_is_counted_exactly(
    make_store: MakeStore, store: Store, known: bool
) -> None:
    """Each board has its own lock, so another board's commit may come between the facts and the commit."""
    if known:
        await commit(store, submission("ada"))
    decided: list[int] = []

    async def overtake() -> list[Event]:
        async with make_store() as other:
            await other.register_boards([MAIN, SIDE])
            return await commit(other, submission("bob", VISIT), submission("ada", VISIT))

    with ThreadPoolExecutor(1) as elsewhere:
        overtaking: list[Future[list[Event]]] = []

        def decide_late(batch: Sequence[Submission], facts: BatchFacts) -> Decision:
            decided.append(facts.submissions[0].player.seq)
            if not overtaking:
                overtaking.append(elsewhere.submit(asyncio.run, overtake()))
                # SQLite has one lock for all boards, and makes the other one wait for this turn.
                wait(overtaking, timeout=0.5)
            return decide_with()(batch, facts)

        decision = await store.commit({"main"}, lambda: [submission("ada"), submission("cyd")], decide_late)
    quest, visit = decision.events[0], overtaking[0].result()[1]
    assert quest.player == visit.player
    assert sorted((quest.seq or 0, visit.seq or 0)) == ([2, 3] if known else [1, 2])
    assert quest.seq == decided[-1] + 1
    assert [e.score for e in await store.events("main", 0, 10)] == ([50, 100, 50] if known else [50, 50])


async def test_a_board_that_another_program_keeps_in_another_way_is_refused(store: Store, ask: Ask) -> None:
    """Two ways to make a board of its events would tear its history apart."""
    ask("UPDATE boards SET fold = 'best, ascending' WHERE id = 'side'")
    with pytest.raises(SchemaError, match=r"side.*best, ascending"):
        await store.register_boards([MAIN, SIDE])
    await store.register_boards([MAIN])


async def test_a_key_and_a_proof_are_found_under_an_earlier_digest(store: Store) -> None:
    """A row of an earlier version, or from before a secret was changed."""
    old = replace(submission("ada", key=1), proof=proof(2))
    (first,) = await commit(store, old)
    again = replace(submission("ada"), key=digest(3, 4, 1))
    decision = await store.commit({"main"}, lambda: [again], decide_with())
    assert decision.outcomes == (Acceptance(first, replayed=True),)
    redeemed = replace(submission("bob"), proof=proof(5, 6, 2))
    decision = await store.commit({"main"}, lambda: [redeemed, submission("cyd", key=1)], decide_with())
    assert [type(outcome) for outcome in decision.outcomes] == [Refusal, Acceptance]
