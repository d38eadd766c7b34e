"""Each store keeps names that servers and administrators set, and hides players."""

import pytest

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.decisions import Decision
from scoreboard.domain.errors import NameKept
from scoreboard.domain.events import EventKind
from scoreboard.domain.queries import Page
from scoreboard.ports.admin_store import AdminStore
from tests.contract.conftest import Query
from tests.contract.correcting import about, check_boards, correct, of_event
from tests.making import VISIT, commit, submission

KNOWN_TO_0002 = {"award", "adjust", "void", "unvoid", "ban", "unban", "erase"}


async def rename(store: AdminStore, name: str | None, *, keeps_name: bool = False) -> Decision:
    return await correct(store, about(EventKind.RENAME, name=name, keeps_name=keeps_name))


async def test_a_hidden_player_is_hidden_on_a_new_board_too(store: AdminStore) -> None:
    await commit(store, submission("ada"), submission("bob"))
    decision = await correct(store, about(EventKind.HIDE))
    assert await store.events("main", 2, 10) == list(decision.events)
    assert [event.kind for event in decision.events] == [EventKind.HIDE]
    (event,) = await commit(store, submission("ada", VISIT))
    assert (event.kind, event.hides) == (EventKind.AWARD, True)
    assert await store.events("side", 0, 10) == [event]
    (again,) = await commit(store, submission("ada", VISIT))
    assert not again.hides
    await check_boards(store)
    for kind in (EventKind.BAN, EventKind.SHOW, EventKind.HIDE, EventKind.UNBAN, EventKind.SHOW):
        assert len((await correct(store, about(kind))).events) == 2
        await check_boards(store)
    assert [entry.user_id for entry in (await store.read("side", ALL_TIME, Page(10))).entries] == ["ada"]


async def test_a_name_is_kept_despite_submissions_only_if_an_administrator_set_it(store: AdminStore) -> None:
    async def name() -> str | None:
        return (await store.read("main", ALL_TIME, Page(1))).entries[0].name

    await commit(store, submission("ada", name="First"))
    await rename(store, "Server's")
    assert await name() == "Server's"
    await commit(store, submission("ada"))
    assert await name() == "Server's"
    await commit(store, submission("ada", name="Own"))
    assert await name() == "Own"
    await rename(store, "Kept", keeps_name=True)
    await commit(store, submission("ada", VISIT, name="Own"))
    assert await name() == "Kept"
    with pytest.raises(NameKept):
        await rename(store, "Server's")
    await correct(store, about(EventKind.RELEASE_NAME))
    assert await name() == "Kept"
    await commit(store, submission("ada", name="Own"))
    assert await name() == "Own"
    await check_boards(store)


async def test_of_two_names_the_newer_one_has_the_higher_seq(store: AdminStore) -> None:
    stamps: list[int] = []

    async def note() -> None:
        (standing, *_) = (await store.changes("main", 0, 10)).standings
        stamps.append(standing.name_version)

    for number in range(3):
        await commit(store, submission("ada", name=f"Own {number}"))
        await note()
        decision = await rename(store, f"Server's {number}")
        await note()
        assert decision.changes[0].standings[0].name_version == stamps[-1]
    assert stamps == sorted(set(stamps))
    seqs = [event.seq for event in await store.events("main", 0, 10) if event.kind is EventKind.AWARD]
    assert seqs == [1, 2, 3]


async def test_programs_of_schema_0002_find_only_kinds_that_they_know(
    store: AdminStore, query: Query
) -> None:
    await commit(store, submission("ada"))
    await correct(store, about(EventKind.HIDE))
    await commit(store, submission("ada", VISIT))
    await rename(store, "Ada", keeps_name=True)
    await correct(store, about(EventKind.RELEASE_NAME))
    await correct(store, about(EventKind.SHOW))
    assert {kind for (kind,) in query("SELECT DISTINCT kind FROM score_events")} <= KNOWN_TO_0002
    kinds = [EventKind.SHOW, EventKind.RELEASE_NAME, EventKind.RENAME, EventKind.HIDE]
    assert [
        record.event.kind for record in await store.corrections(None, 10) if record.event.board == "main"
    ] == kinds
    with pytest.raises(Exception, match="append-only"):
        query("UPDATE score_events SET subkind = NULL")


async def test_a_change_of_a_name_does_not_change_the_order(store: AdminStore) -> None:
    await commit(store, submission("ada"), submission("bob"))
    await rename(store, "Ada", keeps_name=True)
    for kind in (EventKind.VOID, EventKind.UNVOID):
        await correct(store, of_event(kind, 1))
        await check_boards(store)
    assert [entry.user_id for entry in (await store.read("main", ALL_TIME, Page(10))).entries] == [
        "ada",
        "bob",
    ]
    # The only award of bob is void: its first event decides the order.
    await correct(store, about(EventKind.RENAME, "bob", name="Bob"))
    await correct(store, of_event(EventKind.VOID, 2))
    await check_boards(store)
