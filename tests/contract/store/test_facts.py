"""Each store reads the facts that decide about a batch."""

from collections.abc import Sequence
from dataclasses import replace

from scoreboard.domain.decisions import NO_DECISION, Decision
from scoreboard.domain.definitions import Definition
from scoreboard.domain.events import EventKind, Head
from scoreboard.domain.facts import ActionUse, BatchFacts
from scoreboard.domain.periods import PeriodKind
from scoreboard.domain.rate_limit import RateLimit
from scoreboard.domain.standings import Player, Standing
from scoreboard.domain.submissions import Submission
from scoreboard.ports.store import Store
from tests.clocks import HeldClock
from tests.contract.conftest import BOTH, OpenStore
from tests.contract.correcting import correct, of_event
from tests.contract.store.kinds_of_boards import EVERY_KIND, at, board, submit
from tests.making import DUEL, QUEST, SIDE, VISIT, commit, decide_with, submission


async def facts_of(store: Store, *batch: Submission) -> BatchFacts:
    """Return the facts that a store reads about a batch. Nothing is written."""
    seen: list[BatchFacts] = []

    def look(_batch: Sequence[Submission], facts: BatchFacts) -> Decision:
        seen.append(facts)
        return NO_DECISION

    await store.commit(BOTH, lambda: batch, look)
    return seen[0]


async def test_facts_about_a_new_player(store: Store, clock: HeldClock) -> None:
    facts = await facts_of(store, submission("ada"))
    (known,) = facts.submissions
    assert (facts.reading_us, facts.heads["main"]) == (clock.us, Head(0, 0))
    assert (known.player.seq, known.standings, known.use) == (0, {}, ActionUse())
    assert (known.limiting_us, known.repeated) == (None, None)


async def test_two_new_players_of_a_batch_get_different_keys(store: Store) -> None:
    one, other = (await facts_of(store, submission("ada"), submission("bob"))).submissions
    assert one.player.key != other.player.key


async def test_facts_about_a_known_player(store: Store, clock: HeldClock) -> None:
    await commit(store, submission("ada", QUEST, name="Ada"))
    clock.advance(1)
    (last,) = await commit(store, submission("ada", DUEL))
    clock.advance(1)
    facts = await facts_of(store, submission("ada", DUEL))
    (known,) = facts.submissions
    assert (facts.reading_us, facts.heads["main"].version) == (clock.us, 2)
    assert known.player == Player(last.player, "ada", "Ada", seq=2, is_banned=False)
    assert known.use == ActionUse(1, last.at_us)
    assert known.standings == {
        "all": Standing(last.player, "ada", "Ada", 80, 2, last.at_us, version=2, name_version=2)
    }


async def test_facts_are_in_the_order_of_the_batch(store: Store) -> None:
    users = [f"user-{n}" for n in (3, 1, 2, 0)]
    await commit(store, *map(submission, users))
    facts = await facts_of(store, *map(submission, reversed(users)))
    assert [known.standings["all"].user_id for known in facts.submissions] == users[::-1]


async def test_the_rate_limit_uses_the_time_of_the_submission_that_many_ago(
    open_store: OpenStore, clock: HeldClock
) -> None:
    store = await open_store(limit=RateLimit(3, 60_000_000))
    times = []
    for _ in range(5):
        clock.advance(61)
        times.append(clock.us)
        await commit(store, submission())
    (known,) = (await facts_of(store, submission())).submissions
    assert known.limiting_us == times[-3]


async def test_facts_have_the_clocks_readings(open_store: OpenStore, clock: HeldClock) -> None:
    store = await open_store(limit=RateLimit(1, 60_000_000))
    await commit(store, submission("ada"))
    clock.advance(-3_600)
    (event,) = await commit(store, submission("bob", key=5))
    (known,) = (await facts_of(store, submission("bob", replace(QUEST, max_per_day=1), key=5))).submissions
    assert (known.use, known.limiting_us) == (ActionUse(1, clock.us, clock.us), clock.us)
    assert known.repeated == event


async def test_a_board_does_not_use_the_wrong_time_of_another_one(store: Store, clock: HeldClock) -> None:
    await commit(store, submission("ada"))
    clock.advance(-86_400)
    main, side = await commit(store, submission("bob"), submission("cyd", VISIT))
    assert (main.at_us, side.at_us) == (clock.us + 86_400_000_000, clock.us)
    head = (await facts_of(store, submission("bob", VISIT))).heads["side"]
    assert (head.at_us, head.clock_us) == (clock.us, None)


LEAGUE = board(Definition(periods=EVERY_KIND))
LIMITED = replace(
    QUEST, max_per_period={PeriodKind.DAY: 1, PeriodKind.WEEK: 2, PeriodKind.MONTH: 3}, max_per_day=1
)


async def used_up(store: Store, user_id: str = "ada") -> frozenset[str]:
    """Return the periods in which a player has used up the limited action, as the facts name them."""
    facts = await facts_of(store, submission("cyd", VISIT), submission(user_id, LIMITED))
    assert facts.submissions[0].use.used_up_periods == frozenset()
    return facts.submissions[1].use.used_up_periods


async def test_facts_name_the_open_periods_in_which_an_action_is_used_up(
    open_store: OpenStore, clock: HeldClock
) -> None:
    clock.us = at("2026-11-29T12:00:00Z")
    store = await open_store(boards=[LEAGUE, SIDE])
    assert await used_up(store) == frozenset()
    for expected in ({"2026-11-29"}, {"2026-11-29", "2026-W48"}, {"2026-11-29", "2026-W48", "2026-11"}):
        await submit(store, LEAGUE, submission("ada", QUEST), submission("bob", DUEL))
        assert await used_up(store) == expected
    assert await used_up(store, "bob") == frozenset()
    # A void takes the points, not the use.
    version = next(e.version for e in await store.events("main", 0, 9) if e.kind is EventKind.AWARD)
    await correct(store, of_event(EventKind.VOID, version))
    assert await used_up(store) == {"2026-11-29", "2026-W48", "2026-11"}
    # Not the clock, but the rollover restarts the count.
    clock.us = at("2026-11-30T00:00:00Z")
    assert await used_up(store) == {"2026-11-29", "2026-W48", "2026-11"}
    await submit(store, LEAGUE)
    assert await used_up(store) == {"2026-11"}
    await submit(store, LEAGUE, submission("ada", QUEST))
    assert await used_up(store) == {"2026-11-30", "2026-11"}


async def test_uses_from_before_an_action_moved_to_a_board_do_not_count_in_its_periods(
    open_store: OpenStore,
) -> None:
    store = await open_store(boards=[LEAGUE, SIDE])
    await submit(store, LEAGUE, submission("bob", QUEST))
    elsewhere = [submission("ada", replace(QUEST, board="side")) for _ in range(9)]
    for one in elsewhere:
        await store.commit(BOTH, lambda: [one], decide_with(boards=(LEAGUE, SIDE)))  # noqa: B023
    assert await used_up(store) == frozenset()


async def test_an_idempotency_key_finds_the_event_of_its_player(store: Store) -> None:
    (event,) = await commit(store, submission("ada", key=7))
    facts = await facts_of(
        store, submission("ada", DUEL, key=7), submission("bob", key=7), submission("cyd", key=8)
    )
    same, other_key, other_player = facts.submissions
    assert same.repeated == event
    assert other_key.repeated is None
    assert other_player.repeated is None
