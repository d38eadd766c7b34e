"""A whole server on a real socket, in a thread of the test's process. The test controls its clock."""

import asyncio
import json
import socket
import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx2
from starlette.types import ASGIApp

from scoreboard import server
from scoreboard.app import Scoreboard, make_store, open_scoreboard
from scoreboard.domain.events import Event as LedgerEvent
from scoreboard.domain.submissions import Caller
from scoreboard.server.listen_socket import bind, url_of
from scoreboard.settings.catalog import load_catalog
from scoreboard.settings.config import Settings, read_settings
from scoreboard.web.auth.tokens import Tokens
from scoreboard.web.auth.tokens_from_settings import tokens_from_settings
from tests.clocks import HeldClock, counted_ids
from tests.limits import LIMIT_SECONDS
from tests.servers.postgresql import apart
from tests.stores import migrated_file

SECRET = "a secret of the tests, never used elsewhere"
UNLIMITED = "1000000/second"

LoopFactory = Callable[[], asyncio.AbstractEventLoop]

CATALOG = """
[boards.main]
title = "Main"
[boards.side]
title = "Side"
[actions.quest]
board = "main"
points = 50
title = "Quest"
[actions.duel]
board = "main"
points = 30
title = "Duel"
[actions.visit]
board = "side"
points = 5
title = "Visit"
[actions.prize]
board = "main"
points = 123456789
title = "Prize"
[actions.jackpot]
board = "main"
points = 9007199254740991
title = "Jackpot"
"""


def settings_in(folder: Path, **given: Any) -> Settings:
    """Return settings of a server with all its files in a folder. Environment variables are ignored."""
    catalog = folder / "catalog.toml"
    if not catalog.exists():
        catalog.write_text(CATALOG)
    defaults = {
        "database_url": f"sqlite:///{folder / 'scoreboard.db'}",
        "jwt_secret": SECRET,
        "catalog": catalog,
        "port": 0,
        "drain_seconds": 0.0,
        "database_timeout_seconds": LIMIT_SECONDS,
        "redis_timeout_seconds": LIMIT_SECONDS,
    }
    return read_settings(_env_file=None, **{**defaults, **given})


@dataclass
class Running:
    """A running server."""

    settings: Settings
    url: str
    clock: HeldClock
    tokens: Tokens
    scoreboard: Scoreboard
    client: httpx2.Client
    stop: Callable[[], None] = field(repr=False)

    def token(self, user_id: str = "ada", name: str | None = None, scopes: tuple[str, ...] = ()) -> str:
        return self.tokens.sign(Caller(user_id, name, frozenset(scopes)), 3_600)

    def score(
        self,
        user_id: str = "ada",
        action_id: str = "quest",
        *,
        key: str | None = None,
        token: str | None = None,
        name: str | None = None,
    ) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {token or self.token(user_id, name)}"}
        if key is not None:
            headers["Idempotency-Key"] = key
        return self.client.post(
            "/api/scores", json={"actionId": action_id, "userId": user_id}, headers=headers
        )

    def board(self, **parameters: Any) -> dict[str, Any]:
        response = self.client.get("/api/leaderboard", params=parameters)
        assert response.status_code == 200, response.text
        document: dict[str, Any] = response.json()
        return document

    @property
    def metrics_url(self) -> str:
        return f"http://127.0.0.1:{self.scoreboard.metrics_port}/metrics"

    def ledger(self, board: str = "main") -> list[LedgerEvent]:
        """Return all events, read by a separate store."""

        async def read() -> list[LedgerEvent]:
            async with make_store(self.settings, self.clock) as store:
                return list(await store.events(board, 0, 1_000_000))

        return apart(read())

    def users(self, board: str = "main") -> dict[int, str]:
        """Return the user id of each integer key."""

        async def read() -> dict[int, str]:
            async with make_store(self.settings, self.clock) as store:
                change = await store.changes(board, 0, 1_000_000)
                return {standing.player: standing.user_id for standing in change.standings}

        return apart(read())

    @contextmanager
    def watch(self, path: str = "/api/leaderboard/stream") -> Iterator["Watcher"]:
        with self.client.stream("GET", path, headers={"Accept": "text/event-stream"}) as response:
            yield Watcher(response)


class Watcher:
    """Reads the events of a stream like a browser."""

    def __init__(self, response: httpx2.Response) -> None:
        self.response = response
        self._lines = response.iter_lines()

    def fields(self) -> dict[str, str]:
        """Return the next block of lines; no empty line may follow the last one. Raises StopIteration."""
        block: dict[str, str] = {}
        while line := next(self._lines, "" if block else None):
            name, _, value = line.partition(":")
            block[name] = value.removeprefix(" ")
        if line is None:
            raise StopIteration
        return block

    def frame(self) -> dict[str, Any]:
        """Return the next board."""
        while "data" not in (block := self.fields()):
            pass
        assert block["event"] == "leaderboard"
        board: dict[str, Any] = json.loads(block["data"])
        assert block["id"] == str(board["version"])
        return board


def _make_database(settings: Settings) -> None:
    """Create the SQLite file. PostgreSQL databases exist already."""
    if not settings.is_distributed and not settings.database_path.exists():
        migrated_file(settings.database_path)


def _trusting(settings: Settings) -> ssl.SSLContext:
    """Return a TLS context that trusts the server's certificate alone.

    To read the system's certificates takes 40 ms, which is more than the start of a server.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if settings.tls is not None:
        context.load_verify_locations(settings.tls[0])
    return context


@contextmanager
def running(
    folder: Path,
    clock: HeldClock | None = None,
    send_buffer_bytes: int | None = None,
    *,
    loop_factory: LoopFactory | None = None,
    around: Callable[[ASGIApp], ASGIApp] = lambda application: application,
    is_demo: bool = False,
    **given: Any,
) -> Iterator[Running]:
    """Run a server until the end of the block, and stop it as SIGTERM does.

    With a small send buffer, the kernel buffers little for a client that does not read. `around` wraps the
    application.
    """
    settings = settings_in(folder, **given)
    clock = clock or HeldClock()
    tokens = tokens_from_settings(settings, clock)
    _make_database(settings)
    listening = bind(settings.host, settings.port)
    if send_buffer_bytes is not None:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer_bytes)
    url = url_of(listening, is_tls=settings.tls is not None)
    started: Future[tuple[Scoreboard, server.HttpServer, asyncio.AbstractEventLoop]] = Future()
    finished = Event()

    async def main() -> None:
        catalog, ids = load_catalog(settings.catalog), counted_ids()
        async with open_scoreboard(
            settings, catalog, tokens, is_demo=is_demo, clock=clock, new_id=ids.__next__
        ) as scoreboard:

            async def drain(_polite: bool) -> None:
                await scoreboard.hub.drain(settings.drain_grace_seconds, settings.drain_seconds)

            loop = asyncio.get_running_loop()
            http_server = server.HttpServer(
                around(scoreboard.application),
                drain,
                lambda: started.set_result((scoreboard, http_server, loop)),
                settings.tls,
            )
            await http_server.serve(sockets=[listening])

    def run() -> None:
        try:
            with asyncio.Runner(loop_factory=loop_factory) as runner:
                runner.run(main())
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)
        finally:
            finished.set()

    thread = Thread(target=run, name="server")
    thread.start()
    try:
        scoreboard, http_server, loop = started.result(LIMIT_SECONDS)
    except BaseException:
        listening.close()
        raise

    def stop() -> None:
        if not finished.is_set():
            loop.call_soon_threadsafe(http_server.stop, True)

    with httpx2.Client(base_url=url, timeout=LIMIT_SECONDS, verify=_trusting(settings)) as client:
        try:
            yield Running(settings, url, clock, tokens, scoreboard, client, stop)
        finally:
            stop()
            thread.join(LIMIT_SECONDS + server.FINISH_SECONDS)
            listening.close()
            assert finished.is_set(), "the server has not stopped"
