"""What every store keeps for administrators (`admin_store.AdminStore`)."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from functools import partial
from uuid import UUID, uuid4

import pytest

from scoreboard.domain import corrections
from scoreboard.domain.administration import Correction, CorrectionFacts, EventCursor, SuspicionThresholds
from scoreboard.domain.decisions import Acceptance, Decision
from scoreboard.domain.errors import IdempotencyKeyReused, UnknownEvent, UnknownPlayer
from scoreboard.domain.events import ERASED_MARK, EventKind
from scoreboard.domain.facts import BatchFacts
from scoreboard.domain.standings import ChangeKind, Player
from scoreboard.domain.submissions import Submission
from scoreboard.ports.admin_store import AdminStore
from scoreboard.services import administer
from scoreboard.services.verify import verify
from scoreboard.settings.catalog import Catalog
from scoreboard.store.administration import facts as correction_facts
from tests.clocks import HeldClock
from tests.contract.conftest import Ask, MakeStore, OpenStore
from tests.making import DUEL, MAIN, SIDE, VISIT, commit, decide_with, proof, submission


def about(kind: EventKind, user_id: str = "ada", **given: object) -> Correction:
    return Correction(kind, "root", "a test", user_id=user_id, **given)  # type: ignore[arg-type]


def of_event(kind: EventKind, version: int) -> Correction:
    return Correction(kind, "root", "a test", board="main", target_version=version)


async def correct(store: AdminStore, correction: Correction) -> Decision:
    return await store.correct(correction, partial(corrections.correct, correction, new_id=uuid4))


async def ranks(store: AdminStore, board: str = "main") -> list[tuple[str, int]]:
    return [(entry.user_id, entry.score) for entry in (await store.page(board, 100, 0)).entries]


async def whole(store: AdminStore) -> bool:
    verdicts = [await verify(store, None, board, lambda *_: None) for board in ("main", "side")]
    return not any(verdict.differences for verdict in verdicts)


async def test_a_ban_takes_a_player_off_every_board_and_an_unban_puts_it_back(store: AdminStore) -> None:
    await commit(store, submission("ada"), submission("bob"))
    await commit(store, submission("ada", VISIT))
    decision = await correct(store, about(EventKind.BAN))
    assert [(e.board, e.version, e.points) for e in decision.events] == [("main", 3, 0), ("side", 2, 0)]
    assert (await ranks(store), await ranks(store, "side")) == ([("bob", 50)], [])
    assert await commit(store, submission("ada")) == []
    await correct(store, about(EventKind.UNBAN))
    assert await ranks(store) == [("ada", 50), ("bob", 50)]
    assert len(await commit(store, submission("ada"))) == 1
    assert await whole(store)


async def test_a_correction_is_written_as_it_was_settled(store: AdminStore) -> None:
    await commit(store, submission("ada"))
    decision = await correct(store, of_event(EventKind.VOID, 1))
    assert await store.events("main", 1, 10) == list(decision.events)
    change = await store.changes("main", 1, 10)
    assert (change.kind, change.standings) == (ChangeKind.LAST_PAGE, decision.changes[0].standings)


async def test_an_event_is_void_after_a_void_and_not_after_an_unvoid(store: AdminStore) -> None:
    await commit(store, submission("ada"))
    seen: list[bool] = []
    for kind in (EventKind.VOID, EventKind.UNVOID, EventKind.VOID):
        correction = of_event(kind, 1)

        def look(
            facts: CorrectionFacts, correction: Correction = correction
        ) -> tuple[Decision, Player | None]:
            seen.append(facts.targets[0].is_void)
            return corrections.correct(correction, facts, uuid4)

        await store.correct(correction, look)
    assert seen == [False, True, False]
    assert [record.is_void for record in await store.history("ada", None, 10)] == [False, False, False, True]
    assert await ranks(store) == [("ada", 0)]
    assert await whole(store)


async def test_targets_since_a_time_are_the_awards_that_are_not_void(
    store: AdminStore, clock: HeldClock
) -> None:
    await commit(store, submission("ada"))
    clock.advance(60)
    since_us = clock.us
    await commit(store, submission("ada", DUEL))
    await commit(store, submission("ada", VISIT))
    await correct(store, about(EventKind.ADJUST, board="main", points=7))
    await correct(store, of_event(EventKind.VOID, 2))
    decision = await correct(store, about(EventKind.VOID, since_us=since_us))
    assert [(e.board, e.points, e.target_version) for e in decision.events] == [("side", -5, 1)]
    assert (await ranks(store), await ranks(store, "side")) == ([("ada", 57)], [("ada", 0)])


async def test_more_are_voided_than_one_turn_takes(
    store: AdminStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(correction_facts, "MAX_TARGETS", 2)
    for _ in range(5):
        await commit(store, submission("ada"))
    applied: list[Decision] = []

    async def apply(decision: Decision) -> None:
        applied.append(decision)

    catalog = Catalog({"main": MAIN}, {})
    service = administer.Administration(catalog, store, apply, clock=HeldClock(), new_id=uuid4)
    corrected = await service.correct(about(EventKind.VOID, since_us=0), "a key")
    assert (corrected.events, corrected.versions) == (5, {"main": 10})
    assert [len(decision.events) for decision in applied] == [2, 2, 1, 0]
    assert await ranks(store) == [("ada", 0)]


async def test_an_adjustment_is_repeated_by_its_key_and_by_nothing_else(store: AdminStore) -> None:
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


async def test_a_correction_can_be_rewritten_by_nobody(store: AdminStore, ask: Ask) -> None:
    await commit(store, submission("ada"))
    await correct(store, about(EventKind.BAN))
    for statement in (
        "UPDATE corrections SET actor = 'x'",
        "UPDATE corrections SET reason = 'x'",
        "DELETE FROM corrections",
    ):
        with pytest.raises(Exception, match="append-only"):
            ask(statement.format("corrections"))


async def test_a_proof_counts_once_also_for_who_is_somebody_new(store: AdminStore) -> None:
    proved = replace(submission("ada"), proof=proof(7))
    assert len(await commit(store, proved)) == 1
    await correct(store, about(EventKind.ERASE))
    assert await commit(store, replace(proved, event_id=uuid4())) == []


async def test_nothing_is_written_where_a_correction_is_refused(store: AdminStore) -> None:
    await commit(store, submission("ada"))
    with pytest.raises(UnknownPlayer):
        await correct(store, about(EventKind.BAN, "nobody"))
    with pytest.raises(UnknownEvent):
        await correct(store, of_event(EventKind.VOID, 2))
    assert (await store.heads())["main"].version == 1
    assert await store.corrections(None, 10) == []


async def test_an_erased_player_is_in_no_row_and_the_sums_are_right(store: AdminStore, ask: Ask) -> None:
    await commit(store, submission("ada-secret", name="Ada Secret"), submission("bob"))
    await commit(store, submission("ada-secret", VISIT))
    await correct(store, Correction(EventKind.ADJUST, "root", "Ada Secret asked", "ada-secret", "main", 5))
    await correct(store, about(EventKind.ERASE, "ada-secret"))
    assert await ranks(store) == [("bob", 50)]
    assert await whole(store)
    tables = ("players", "score_events", "standings", "corrections", "boards")
    assert "ecret" not in str([ask(f"SELECT * FROM {table}") for table in tables])
    (own,) = await commit(store, submission("ada-secret"))
    assert (own.score, own.seq) == (50, 1)


async def test_an_erased_player_stands_out_no_more(store: AdminStore, clock: HeldClock) -> None:
    await commit(store, submission("ada"))
    assert len(await store.suspects(clock.us, SuspicionThresholds(awards_an_hour=1), 10)) == 1
    await correct(store, about(EventKind.ERASE))
    assert await store.suspects(clock.us, SuspicionThresholds(awards_an_hour=1), 10) == []


async def test_a_name_that_comes_late_does_not_bring_an_erased_player_back(store: AdminStore) -> None:
    await commit(store, submission("ada", name="Ada"))
    before = (await store.changes("main", 0, 1)).standings[0]
    decision = await correct(store, about(EventKind.ERASE))
    after = decision.changes[0].standings[0]
    assert after.user_id == f"{ERASED_MARK}{before.player}"
    assert (after.name, after.seq) == (None, before.seq + 1)


async def test_pages_of_the_audit_log_and_of_a_history_follow_each_other(
    store: AdminStore, clock: HeldClock
) -> None:
    await commit(store, submission("ada"))
    await commit(store, submission("ada", VISIT))
    for _ in range(3):
        await correct(store, about(EventKind.BAN))
        clock.advance(1)
        await correct(store, about(EventKind.UNBAN))
    for read, total in ((store.corrections, 12), (partial(store.history, "ada"), 14)):
        whole_list = await read(None, 100)
        pages: list[object] = []
        before = None
        while page := await read(before, 5):
            pages += page
            last = page[-1].event
            before = EventCursor(last.at_us, last.board, last.version)
        assert pages == list(whole_list)
        assert len(pages) == total
    assert {(record.actor, record.reason) for record in await store.corrections(None, 100)} == {
        ("root", "a test")
    }


async def test_stretches_of_a_ledger_say_whose_each_event_is(store: AdminStore) -> None:
    await commit(store, submission("ada"), submission("bob"))
    await commit(store, submission("ada", VISIT))
    await correct(store, of_event(EventKind.VOID, 1))
    first, second = await store.ledger("main", 0, 2), await store.ledger("main", 2, 2)
    assert [record.event for record in (*first, *second)] == list(await store.events("main", 0, 10))
    assert [(record.user_id, record.is_void) for record in first] == [("ada", True), ("bob", False)]
    assert [(record.user_id, record.actor, record.reason) for record in second] == [("ada", "root", "a test")]
    assert await store.ledger("main", 3, 2) == []


async def test_corrections_and_submissions_of_two_processes_are_one_history(open_store: OpenStore) -> None:
    one, other = await open_store(), await open_store()
    await commit(one, submission("ada"), submission("bob"))

    async def submit() -> None:
        for _ in range(10):
            await commit(one, submission("bob"))
            await commit(one, submission("ada", VISIT))

    async def moderate() -> None:
        for _ in range(5):
            await correct(other, about(EventKind.BAN))
            await correct(other, about(EventKind.ADJUST, "bob", board="main", points=1))
            await correct(other, about(EventKind.UNBAN))

    await asyncio.gather(submit(), moderate())
    assert await whole(one)
    events = await one.events("main", 0, 100)
    assert [e.version for e in events] == list(range(1, len(events) + 1))
    assert dict(await ranks(one))["bob"] == 50 * 11 + 5


async def test_a_ban_meets_a_submission_that_is_being_written_and_takes_it_off_too(
    make_store: MakeStore, store: AdminStore
) -> None:
    """It holds every board, so that one waits for the other."""
    await commit(store, submission("ada"))

    async def ban() -> None:
        async with make_store() as other:
            await other.register_boards([MAIN, SIDE])
            await correct(other, about(EventKind.BAN))

    with ThreadPoolExecutor(1) as elsewhere:
        banning: list[Future[None]] = []

        def decide_late(batch: Sequence[Submission], facts: BatchFacts) -> Decision:
            banning.append(elsewhere.submit(asyncio.run, ban()))
            # It has to wait for this turn.
            wait(banning, timeout=0.3)
            return decide_with()(batch, facts)

        await store.commit({"side"}, lambda: [submission("ada", VISIT)], decide_late)
        banning[0].result()
    assert (await ranks(store), await ranks(store, "side")) == ([], [])
    assert await whole(store)


async def test_who_stands_out_does_so_by_rate_regularity_or_address(
    store: AdminStore, clock: HeldClock
) -> None:
    since_us = clock.us
    for number in range(12):
        await commit(
            store, submission("robot"), submission("ada") if number % 5 == 0 else submission(f"user-{number}")
        )
        clock.advance(30)
    found = {s.user_id: s for s in await store.suspects(since_us, SuspicionThresholds(), 10)}
    assert found.keys() == {"robot"}
    assert (found["robot"].awards, found["robot"].points, found["robot"].interval_seconds) == (12, 600, 30.0)
    assert found["robot"].irregularity == pytest.approx(0)
    fast = await store.suspects(since_us, SuspicionThresholds(awards_an_hour=3, irregularity=0), 10)
    assert {s.user_id for s in fast} == {"robot", "ada"}
    assert await store.suspects(clock.us, SuspicionThresholds(), 10) == []


async def test_an_origin_can_be_forgotten_and_nothing_else_of_an_event(store: AdminStore, ask: Ask) -> None:
    await commit(store, submission("ada"))
    ask("UPDATE score_events SET token_id = NULL, address_hash = NULL")
    for change in (
        "token_id = 'x'",
        "agent_hash = 7",
        "points = 7",
        "proof_digest = NULL",
        "target_version = 1",
    ):
        with pytest.raises(Exception, match="append-only"):
            ask(f"UPDATE score_events SET {change}")
