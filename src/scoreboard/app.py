"""The composition root: settings → drivers → service → ASGI application. The only file that names a driver."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from fastapi import FastAPI

from scoreboard.catalog import Catalog
from scoreboard.clock import SystemClock
from scoreboard.config import Settings
from scoreboard.fanout.frames import Frames
from scoreboard.fanout.hub import Hub
from scoreboard.healing import Healing
from scoreboard.interfaces import Clock, NewId, Ranking, Store
from scoreboard.ranking.memory import MemoryRanking
from scoreboard.scoring import Scoring
from scoreboard.secret import load_secret
from scoreboard.store import sqlite_file
from scoreboard.store.sqlite import SqliteStore
from scoreboard.web.application import make_application
from scoreboard.web.auth import Tokens


@dataclass(frozen=True, slots=True)
class Scoreboard:
    """A running scoreboard: what a server serves, and what it ends by its signals."""

    application: FastAPI
    hub: Hub


def migrate(settings: Settings) -> tuple[str | None, str]:
    """Bring the database to this program's schema; say from which revision to which. Raises StartError."""
    return sqlite_file.migrate(settings.database_path)


def has_no_database(settings: Settings) -> bool:
    """Whether the database is still to be made. Raises StartError."""
    return sqlite_file.is_new(settings.database_path)


def make_store(settings: Settings, clock: Clock) -> Store:
    """The truth that the settings name."""
    return SqliteStore(settings.database_path, limit=settings.rate_limit, clock=clock)


def make_ranking() -> Ranking:
    """The ordered copy that goes with the store."""
    return MemoryRanking()


def make_tokens(settings: Settings, clock: Clock | None = None) -> Tokens:
    """What signs and checks tokens. Raises StartError."""
    return Tokens(load_secret(settings), clock or SystemClock())


@asynccontextmanager
async def open_scoreboard(
    settings: Settings,
    catalog: Catalog,
    tokens: Tokens,
    *,
    is_demo: bool = False,
    clock: Clock | None = None,
    new_id: NewId = uuid4,
) -> AsyncIterator[Scoreboard]:
    """Open the drivers, start what runs in the background, and close all of it at the end.

    Raises SchemaError. A background task that fails ends the whole: better no server than one that only looks like it.
    """
    clock = clock or SystemClock()
    boards = tuple(catalog.boards)
    async with make_store(settings, clock) as store, make_ranking() as ranking:
        await store.ensure(tuple(catalog.boards.values()))
        healing = Healing(store, ranking, boards)
        scoring = Scoring(catalog, store, ranking, healing, limit=settings.rate_limit, clock=clock, new_id=new_id)
        hub = Hub(boards)
        frames = Frames(scoring.board, hub, boards)
        application = make_application(
            catalog=catalog,
            scoring=scoring,
            healing=healing,
            frames=frames,
            hub=hub,
            tokens=tokens,
            write_origins=settings.cors_origins,
            is_demo=is_demo,
        )
        async with _background(
            healing.run(), scoring.commit.run(), frames.follow(ranking.changed()), frames.refresh(), hub.run()
        ):
            yield Scoreboard(application, hub)


@asynccontextmanager
async def _background(*coroutines: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(coroutine) for coroutine in coroutines]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
