"""The distributed deployment under load: its own PostgreSQL and Redis, and instances of the server."""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from uuid import uuid4

import pytest

from benchmarks.catalogs import BOARD
from benchmarks.options import CannotMeasure
from benchmarks.target import COMMAND, DEFAULTS, Target
from scoreboard.domain.definitions import SUM_DESCENDING
from scoreboard.ranking.redis.connection import RedisLimits
from scoreboard.ranking.redis.ranking import RedisRanking
from tests.servers.finding import NoServer
from tests.servers.postgresql import PostgresServer
from tests.servers.process import outside_environment
from tests.servers.redis import RedisServer

PREFIX = "scoreboard"
RANKING_SECONDS = 10.0
"""Timeout of the driver in this process: a fill keeps Redis busy, and that delay is not measured."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """The servers that the instances share, a database, and the settings and the program of the instances."""

    database: PostgresServer
    redis: RedisServer
    name: str = "postgres"
    further: Mapping[str, str] = field(default_factory=dict)
    program: Sequence[str] = COMMAND

    @property
    def url(self) -> str:
        return self.database.url(self.name)

    @property
    def settings(self) -> dict[str, str]:
        return {
            "SCOREBOARD_DATABASE_URL": self.url,
            "SCOREBOARD_REDIS_URL": self.redis.url,
            "SCOREBOARD_REDIS_PREFIX": PREFIX,
            **self.further,
        }

    @contextmanager
    def emptied(
        self, further: Mapping[str, str] | None = None, program: Sequence[str] = COMMAND
    ) -> Iterator["Deployment"]:
        """Yield a deployment on the same servers, with a database of its own and an empty Redis."""
        own = replace(self, name=f"load-{uuid4().hex}", further=further or {}, program=program)
        self.redis.execute("FLUSHALL")
        self.database.create_database(own.name)
        try:
            own.migrate()
            yield own
        finally:
            self.database.drop_database(own.name)

    @contextmanager
    def instances(self, count: int) -> Iterator[list[Target]]:
        """Run `count` instances."""
        with ExitStack() as stack:
            yield [stack.enter_context(Target(self.settings, self.program)) for _ in range(count)]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a scoreboard command until it exits."""
        return subprocess.run(
            [*self.program, *arguments],
            env={**outside_environment(), **DEFAULTS, **self.settings},
            cwd=self.redis.folder,
            capture_output=True,
            text=True,
            check=False,
        )

    def migrate(self) -> None:
        migrated = self.run("migrate")
        if migrated.returncode != 0:
            raise RuntimeError(f"`scoreboard migrate` failed: {migrated.stderr}")

    def ranking(self) -> RedisRanking:
        """Return the ranking driver, for use in this process."""
        limits = RedisLimits(connections=2, silence_seconds=RANKING_SECONDS)
        definitions = {BOARD: SUM_DESCENDING}
        return RedisRanking(self.redis.url, definitions, prefix=PREFIX, is_cluster=False, limits=limits)


@contextmanager
def deployed(
    environment: Mapping[str, str] | None = None,
    further: Mapping[str, str] | None = None,
    log_statement: str = "none",
) -> Iterator[Deployment]:
    """Start Redis, and PostgreSQL with its defaults (each commit is flushed) and `environment`.

    `further` are settings of the instances.
    """
    with ExitStack() as stack:
        try:
            database = stack.enter_context(
                PostgresServer(environment=environment, log_statement=log_statement)
            )
            redis = stack.enter_context(RedisServer(maxmemory_policy="noeviction"))
        except (NoServer, pytest.skip.Exception) as error:
            raise CannotMeasure(str(error)) from error
        deployment = Deployment(database, redis, further=further or {})
        deployment.migrate()
        yield deployment
