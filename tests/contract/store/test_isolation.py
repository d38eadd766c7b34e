"""A submission that a store cannot write fails alone: the rest of its batch is committed."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from scoreboard.domain import rules
from scoreboard.domain.boards import Board
from scoreboard.domain.decisions import Decision
from scoreboard.domain.errors import ScoreboardError
from scoreboard.domain.facts import BatchFacts
from scoreboard.domain.rules import DecisionInputs
from scoreboard.domain.submissions import Submission
from scoreboard.ports.admin_store import AdminStore
from scoreboard.ports.observer import Observer
from scoreboard.resilience.background_loop import running
from scoreboard.services.bisection import FAILED_ALONE
from scoreboard.services.group_commit import BATCH_SIZE, GroupCommit
from scoreboard.store.postgresql.server import ServerConnection
from tests.clocks import HeldClock
from tests.contract.conftest import OpenProcess, Query
from tests.making import DUEL, MAIN, QUEST, SIDE, VISIT, commit, submission
from tests.making import rules as rules_of
from tests.service import ApplierOf

USERS = [f"user-{n}" for n in range(20)]

NO_DUELS = """
    CREATE FUNCTION no_duels() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.action_id = 'duel' THEN RAISE EXCEPTION 'no duels here'; END IF; RETURN NEW; END $$"""
# The columns of SQLite accept any value, and only its foreign keys can be checked at the commit.
REFUSALS = {
    "sqlite": {
        "by a trigger": """
            CREATE TRIGGER no_duels BEFORE INSERT ON score_events WHEN NEW.action_id = 'duel'
            BEGIN SELECT RAISE(ABORT, 'no duels here'); END""",
        "for an overflow": """
            CREATE TRIGGER small BEFORE INSERT ON score_events WHEN NEW.points > 32767
            BEGIN SELECT abs(-9223372036854775807 - 1); END""",
        "at the commit": """
            CREATE TABLE duels (action_id TEXT REFERENCES missing (id) DEFERRABLE INITIALLY DEFERRED);
            CREATE TABLE missing (id TEXT PRIMARY KEY);
            CREATE TRIGGER note_duels AFTER INSERT ON score_events WHEN NEW.action_id = 'duel'
            BEGIN INSERT INTO duels VALUES ('duel'); END""",
    },
    "postgresql": {
        "by a trigger": f"""{NO_DUELS};
            CREATE TRIGGER no_duels BEFORE INSERT ON score_events FOR EACH ROW EXECUTE FUNCTION no_duels()""",
        "for an overflow": "ALTER TABLE standings ALTER score TYPE smallint",
        "at the commit": f"""{NO_DUELS};
            CREATE CONSTRAINT TRIGGER no_duels AFTER INSERT ON score_events DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION no_duels()""",
    },
}
"""Statements that make each driver refuse a large duel."""

LARGE_DUEL = replace(DUEL, points=40_000)

one_driver = pytest.mark.parametrize("driver", ["sqlite"], indirect=True)
"""For faults outside the store. That every store undoes a failed commit is in `test_commit`."""


async def no_ranks(_decision: Decision) -> Mapping[tuple[str, int], int]:
    return {}


@asynccontextmanager
async def committing(store: AdminStore, clock: HeldClock) -> AsyncIterator[GroupCommit]:
    written = GroupCommit(store, ApplierOf(no_ranks), rules_of(), clock)
    async with running(*written.loops):
        yield written


async def outcomes(written: GroupCommit, *submissions: Submission) -> list[str]:
    """Submit concurrently. Return `ok` or the code of the error for each submission."""
    async with asyncio.timeout(30):
        answers = await asyncio.gather(*map(written.submit, submissions), return_exceptions=True)
    assert all(
        isinstance(answer, ScoreboardError) for answer in answers if isinstance(answer, BaseException)
    ), answers
    return [answer.code if isinstance(answer, ScoreboardError) else "ok" for answer in answers]


async def check_isolated(
    store: AdminStore, clock: HeldClock, batch: Sequence[Submission], failing: set[int]
) -> None:
    """The failing submissions of a batch get 500. All others count, and so does the next batch."""
    async with committing(store, clock) as written:
        with capture_logs() as logs:
            expected = ["internal_error" if n in failing else "ok" for n in range(len(batch))]
            assert await outcomes(written, *batch) == expected
            # The failure is logged once, even if it repeats.
            assert await outcomes(written, *batch) == expected
        errors = [line for line in logs if line["log_level"] == "error"]
        assert len(errors) == 1, errors
        assert "user-" not in str(errors[0]["exc_info"])
        assert await outcomes(written, submission("late")) == ["ok"]


@pytest.mark.parametrize(
    ("refusal", "position"), [("by a trigger", 13), ("for an overflow", 5), ("at the commit", 0)]
)
async def test_a_row_that_the_database_refuses_fails_alone(
    store: AdminStore, clock: HeldClock, query: Query, driver: str, refusal: str, position: int
) -> None:
    for statement in REFUSALS[driver][refusal].split(";\n"):
        query(statement)
    batch = [submission(user, LARGE_DUEL if n == position else QUEST) for n, user in enumerate(USERS)]
    await check_isolated(store, clock, batch, {position})
    assert (await store.heads())["main"].version == 2 * 19 + 1


async def test_a_player_whose_count_is_behind_the_ledger_fails_alone(
    store: AdminStore, clock: HeldClock, query: Query
) -> None:
    """A unique index refuses it each time, unlike in a race between two processes."""
    await commit(store, *(submission(user) for user in USERS))
    await commit(store, submission("user-7"))
    query("UPDATE players SET seq = seq - 1 WHERE user_id = 'user-7'")
    await check_isolated(store, clock, [submission(user) for user in USERS], {7})


@pytest.mark.parametrize(
    "boards", [[MAIN, SIDE], [MAIN]], ids=["after a restored backup", "never registered"]
)
async def test_a_board_that_the_database_lacks_fails_alone(
    open_process: OpenProcess, clock: HeldClock, query: Query, boards: list[Board]
) -> None:
    async with open_process(boards=boards) as store:
        query("DELETE FROM boards WHERE id = 'side'")
        batch = [submission(user, VISIT if n % 7 == 3 else QUEST) for n, user in enumerate(USERS)]
        await check_isolated(store, clock, batch, {3, 10, 17})


async def test_a_board_whose_row_is_missing_does_not_delay_other_boards(
    store: AdminStore, clock: HeldClock, query: Query
) -> None:
    query("DELETE FROM boards WHERE id = 'side'")
    batch = [
        submission(f"user-{n}", VISIT if n < FAILED_ALONE + 8 else QUEST) for n in range(FAILED_ALONE + 28)
    ]
    async with committing(store, clock) as written:
        with capture_logs():
            answers = await outcomes(written, *batch)
    assert answers == ["internal_error"] * FAILED_ALONE + ["store_unavailable"] * 8 + ["ok"] * 20


async def test_boards_with_swapped_keys_get_their_own_events(
    store: AdminStore, clock: HeldClock, query: Query
) -> None:
    """After a restore, another board may have the key. Each event is written to its own board."""
    query("UPDATE boards SET key = -key")
    query("UPDATE boards SET key = 3 + key")
    async with committing(store, clock) as written:
        batch = [submission(user, VISIT if n == 2 else QUEST) for n, user in enumerate(USERS)]
        assert await outcomes(written, *batch) == ["ok"] * len(USERS)
    for board, action, count in (("main", "quest", 19), ("side", "visit", 1)):
        assert [event.action_id for event in await store.events(board, 0, 100)] == [action] * count
        assert (await store.heads())[board].version == count


@one_driver
async def test_a_fault_that_no_submission_causes_takes_few_commits(
    store: AdminStore, clock: HeldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = 0

    def decide_batch(*_: object) -> Decision:
        nonlocal turns
        turns += 1
        raise ZeroDivisionError

    batch = [submission(f"user-{n}") for n in range(BATCH_SIZE)]
    async with committing(store, clock) as written:
        with monkeypatch.context() as broken, capture_logs():
            broken.setattr("scoreboard.services.group_commit.decide_batch", decide_batch)
            answers = await outcomes(written, *batch)
        assert turns < 3 * FAILED_ALONE
        assert answers[:FAILED_ALONE] == ["internal_error"] * FAILED_ALONE
        assert set(answers[FAILED_ALONE:]) == {"store_unavailable"}
        assert await outcomes(written, *batch) == ["ok"] * BATCH_SIZE


@one_driver
async def test_an_observer_that_fails_causes_no_second_write(store: AdminStore, clock: HeldClock) -> None:
    class Broken(Observer):
        def committed(self, submissions: int, accepted: int, seconds: float) -> None:
            raise ZeroDivisionError

    written = GroupCommit(store, ApplierOf(no_ranks), rules_of(), clock, Broken())
    async with running(*written.loops):
        with capture_logs():
            assert await outcomes(written, *map(submission, USERS)) == ["ok"] * len(USERS)
    assert (await store.heads())["main"].version == len(USERS)


@pytest.mark.parametrize("driver", ["postgresql"], indirect=True)
async def test_an_unexpected_error_after_a_commit_causes_no_second_write(
    store: AdminStore, clock: HeldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute = ServerConnection.execute
    failing = [RuntimeError("the handler is closed")]

    async def commit_and_fail(connection: ServerConnection, query: str, *rest: object) -> str:
        answer: str = await execute(connection, query, *rest)
        if query == "COMMIT" and failing:
            raise failing.pop()
        return answer

    monkeypatch.setattr(ServerConnection, "execute", commit_and_fail)
    async with committing(store, clock) as written:
        assert await outcomes(written, *map(submission, USERS)) == ["ok"] * len(USERS)
    assert not failing
    assert (await store.heads())["main"].version == len(USERS)


@pytest.mark.parametrize("driver", ["postgresql"], indirect=True)
async def test_waiting_submissions_are_written_when_the_writer_runs_again(
    store: AdminStore, clock: HeldClock
) -> None:
    written = GroupCommit(store, ApplierOf(no_ranks), rules_of(), clock)
    answer = asyncio.create_task(written.submit(submission("early")))
    async with written.loops[0]:
        # It waits for a lock, and has taken nothing yet.
        await asyncio.sleep(0)
    async with running(*written.loops), asyncio.timeout(30):
        assert (await answer).event.version == 1


@one_driver
async def test_a_rule_that_raises_an_error_fails_alone(
    store: AdminStore, clock: HeldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decide_batch(batch: Sequence[Submission], facts: BatchFacts, known: DecisionInputs) -> Decision:
        if any(one.action is DUEL for one in batch):
            raise ZeroDivisionError
        return rules.decide_batch(batch, facts, known)

    monkeypatch.setattr("scoreboard.services.group_commit.decide_batch", decide_batch)
    batch = [submission(user, DUEL if n in {4, 19} else QUEST) for n, user in enumerate(USERS)]
    await check_isolated(store, clock, batch, {4, 19})


@one_driver
async def test_an_unexpected_error_of_the_ranking_costs_only_the_rank(
    store: AdminStore, clock: HeldClock
) -> None:
    async def broken(_decision: Decision) -> Mapping[tuple[str, int], int]:
        raise ZeroDivisionError

    written = GroupCommit(store, ApplierOf(broken), rules_of(), clock)
    async with running(*written.loops):
        with capture_logs() as logs:
            for _ in range(2):
                assert await outcomes(written, *map(submission, USERS)) == ["ok"] * len(USERS)
    assert [line["log_level"] for line in logs] == ["error"]
