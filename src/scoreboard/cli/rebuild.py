"""`scoreboard rebuild`"""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from functools import partial
from typing import Annotated

import typer
from rich.progress import Progress, TaskID

from scoreboard.app import make_ranking, make_store
from scoreboard.cli.progress import progress_bars
from scoreboard.domain.boards import ALL_TIME, Board
from scoreboard.domain.errors import RankingUnavailable
from scoreboard.domain.queries import Page
from scoreboard.ports.ranking import Ranking
from scoreboard.resilience.background_loop import BackgroundLoop
from scoreboard.services.apply import Applier
from scoreboard.settings.catalog import load_catalog
from scoreboard.settings.config import Settings, read_settings

PROGRESS_SECONDS = 0.2


def rebuild(
    board: Annotated[
        str | None, typer.Option(metavar="ID", help="The board. Default: all boards of the catalog.")
    ] = None,
) -> None:
    """Delete the ranking, and rebuild it from the database.

    Servers may run meanwhile, and accept scores. They read boards from the database until the ranking is
    complete: the other boards too, for a moment, because all boards share the names of the players. A rebuild
    is seldom needed, because servers add missing events to the ranking by themselves.
    """
    settings = read_settings()
    catalog = load_catalog(settings.catalog)
    boards = {board: catalog.board(board)} if board is not None else catalog.boards
    for name, players in asyncio.run(_rebuild(settings, boards)):
        typer.echo(f"board {name}: {players} players ranked")
    if not settings.is_distributed:
        typer.echo(
            "The ranking was in the memory of this command: an embedded server builds its own at each start."
        )


async def _rebuild(settings: Settings, boards: Mapping[str, Board]) -> list[tuple[str, int]]:
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(make_store(settings))
        ranking = await stack.enter_async_context(make_ranking(settings, boards))
        progress = stack.enter_context(progress_bars())
        applier = Applier(store, ranking)
        heads = await store.heads()
        rebuilt = []
        for board in boards:
            if board not in heads:
                continue
            task = progress.add_task(board, total=heads[board].version)
            await ranking.drop(board)
            async with BackgroundLoop("progress", partial(_show, ranking, board, progress, task)):
                await applier.heal(board)
            rebuilt.append((board, (await ranking.read(board, ALL_TIME, Page(1))).players))
            for period in (await store.heads())[board].periods.values():
                # It may end in this moment.
                with suppress(RankingUnavailable):
                    players = (await ranking.read(board, period, Page(1))).players
                    rebuilt.append((f"{board}, {period}", players))
        return rebuilt


async def _show(ranking: Ranking, board: str, progress: Progress, task: TaskID) -> float:
    with suppress(RankingUnavailable):
        progress.update(task, completed=(await ranking.copy_state(board)).version)
    return PROGRESS_SECONDS
