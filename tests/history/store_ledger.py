"""The ledger of the store, read after the recording."""

from collections.abc import AsyncIterator

from scoreboard.app import make_store
from scoreboard.domain.events import Event
from scoreboard.domain.standings import ChangeKind
from scoreboard.ports.store import Store
from scoreboard.settings.config import Settings
from tests.history.records import History

PAGE = 10_000


async def with_ledger(history: History, settings: Settings) -> History:
    """Return the history with the whole ledger of the store, and the user id of each player key."""
    users: dict[int, str] = {}
    ledger: list[Event] = []
    async with make_store(settings) as store:
        for board in await store.heads():
            ledger += [event async for event in _events(store, board)]
            users |= {player: user_id async for player, user_id in _users(store, board)}
    return history.with_ledger(ledger, users)


async def _events(store: Store, board: str) -> AsyncIterator[Event]:
    after = 0
    while events := await store.events(board, after, PAGE):
        for event in events:
            yield event
        after = events[-1].version


async def _users(store: Store, board: str) -> AsyncIterator[tuple[int, str]]:
    after, kind = 0, ChangeKind.PAGE
    while kind is not ChangeKind.LAST_PAGE:
        change = await store.changes(board, after, PAGE)
        for standing in change.standings:
            yield standing.player, standing.user_id
        after, kind = change.to_version, change.kind
