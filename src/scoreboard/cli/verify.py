"""`scoreboard verify`"""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack

import typer

from scoreboard.app import make_ranking, make_store
from scoreboard.cli.progress import progress_bars, reporter
from scoreboard.domain.boards import Board
from scoreboard.services.verify import Verdict
from scoreboard.services.verify import verify as verify_board
from scoreboard.settings.catalog import load_catalog
from scoreboard.settings.config import Settings, read_settings


def verify() -> None:
    """Verify that every board follows from the events in its ledger.

    Checks that the events have no gaps, that they lead to the standings, and that the ranking has the same
    order. Servers may run meanwhile. The command only reads, but it updates a ranking that is behind, as
    servers do. With differences it prints them and exits with 1. It also lists events that were written while
    the clock was ahead: they are valid, and do not change the exit code.
    """
    settings = read_settings()
    ranked = load_catalog(settings.catalog).boards
    verdicts = asyncio.run(_verify_all(settings, ranked))
    for verdict in verdicts:
        state = "differs:" if verdict.differences else "whole"
        if verdict.board not in ranked:
            state += " (not in the catalog, so not ranked)"
        typer.echo(f"board {verdict.board}: {verdict.version} events, {verdict.players} players, {state}")
        for difference in verdict.differences:
            typer.echo(f"  {difference}")
        for notice in verdict.notices:
            typer.echo(f"  {notice}")
    if any(verdict.differences for verdict in verdicts):
        raise typer.Exit(1)


async def _verify_all(settings: Settings, ranked: Mapping[str, Board]) -> list[Verdict]:
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(make_store(settings))
        ranking = await stack.enter_async_context(make_ranking(settings, ranked))
        progress = stack.enter_context(progress_bars())
        return [
            await verify_board(
                store, ranking if board in ranked else None, board, reporter(progress, f"{board}: ")
            )
            for board in sorted(await store.heads())
        ]
