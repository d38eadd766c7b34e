"""A small deployment of real processes that can be broken: PostgreSQL with fsync, Redis, and instances."""

import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Self

import httpx2
import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from scoreboard.app import migrate
from scoreboard.settings.config import Settings
from tests.e2e.instance import Instance
from tests.e2e.processes import environment, scoreboard
from tests.harness import settings_in
from tests.key_server import publishing
from tests.limits import LIMIT_SECONDS
from tests.servers import faked_clock
from tests.servers.faked_clock import FakedClock
from tests.servers.postgresql import PostgresServer
from tests.servers.redis import RedisCluster, RedisServer

LIMIT = "8/second"
"""Busy users exceed the limit, the others do not."""

DATABASE = "chaos"

KID: Final = "chaos"

TOKEN_SECONDS: Final = 20 * 86_400
"""Tokens outlive the leaps of a clock. The longest accepted lifetime is 30 days."""

LEAPING: Final = (sys.executable, "-P", str(Path(faked_clock.__file__).with_name("leaping_clock.py")))
"""An instance whose machine may be suspended."""

SHOWN_LINES: Final = 100


class World:
    """Run the whole deployment, from an empty database. All its processes are ended by their ids."""

    def __init__(
        self,
        instances: int = 2,
        *,
        is_cluster: bool = False,
        has_clock: bool = False,
        leaps: bool = False,
        catalog: str | None = None,
        **settings: str,
    ) -> None:
        """With a clock, PostgreSQL's can be set. If it leaps, it is that of the instances, too."""
        self._given = settings
        self._has_clock = has_clock or leaps
        self._leaps = leaps
        self._catalog = catalog
        self._count = instances
        self._is_cluster = is_cluster
        self._stack = ExitStack()
        self._key = ec.generate_private_key(ec.SECP256R1())

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="scoreboard-chaos-")))
            if self._catalog is not None:
                (self.folder / "catalog.toml").write_text(self._catalog)
            if self._has_clock:
                self.clock = stack.enter_context(FakedClock())
            self.postgres = stack.enter_context(
                PostgresServer(environment=self.clock.environment if self._has_clock else None)
            )
            self.postgres.create_database(DATABASE)
            if self._is_cluster:
                self.cluster = stack.enter_context(RedisCluster())
                redis_url = self.cluster.url
            else:
                # The second instance is the replacement of the first one.
                self.redis, self.replica = (stack.enter_context(RedisServer()) for _ in range(2))
                redis_url = self.redis.url
            public = ECAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
            self.issuer = stack.enter_context(publishing([{**public, "kid": KID, "use": "sig"}]))
            self._settings = {
                "SCOREBOARD_JWT_JWKS_URL": self.issuer.url,
                "SCOREBOARD_DATABASE_URL": self.postgres.url(DATABASE),
                "SCOREBOARD_REDIS_URL": redis_url,
                "SCOREBOARD_REDIS_CLUSTER": str(self._is_cluster).lower(),
                "SCOREBOARD_RATE_LIMIT": LIMIT,
                **self._given,
            }
            migrate(self.settings)
            self.instances = [stack.enter_context(self._instance()) for _ in range(self._count)]
            self._stack = stack.pop_all()
        return self

    def _instance(self) -> Instance:
        variables = environment(self.folder, **self._settings)
        if self._leaps:
            return Instance({**variables, **self.clock.leaping_environment}, LEAPING)
        return Instance(variables)

    def __exit__(self, *exc_info: object) -> None:
        if exc_info[0] is not None:
            self.print_logs()
        self._stack.close()

    def print_logs(self) -> None:
        """Print the last lines of each instance's log: they tell why a run failed."""
        for instance in self.instances:
            print(f"{instance.url}:", *instance.log_lines()[-SHOWN_LINES:], sep="\n", file=sys.stderr)

    @property
    def urls(self) -> list[str]:
        return [instance.url for instance in self.instances]

    @property
    def settings(self) -> Settings:
        """Return the settings of the instances, to read the ledger."""
        given = {name.removeprefix("SCOREBOARD_").lower(): value for name, value in self._settings.items()}
        return settings_in(self.folder, **given)

    def token(self, user_id: str) -> str:
        """Return a token signed by the issuer whose keys the instances fetch."""
        return self._sign(user_id, self._key, KID)

    def have_the_keys_fetched(self) -> None:
        """Send an unknown key to each instance, which fetches the key set if it has not within a minute."""
        token = self._sign("stranger", ec.generate_private_key(ec.SECP256R1()), "unknown")
        for url in self.urls:
            answer = httpx2.post(
                f"{url}/api/scores",
                json={"actionId": "quest", "userId": "stranger"},
                headers={"Authorization": f"Bearer {token}"},
                timeout=LIMIT_SECONDS,
            )
            assert answer.status_code in {401, 503}, answer.text

    def _sign(self, user_id: str, key: ec.EllipticCurvePrivateKey, kid: str) -> str:
        claims = {"sub": user_id, "exp": int(time.time()) + TOKEN_SECONDS}
        return jwt.encode(claims, key, algorithm="ES256", headers={"kid": kid})

    def verify(self) -> subprocess.CompletedProcess[str]:
        """Run `scoreboard verify` next to the running instances."""
        return scoreboard(self.folder, "verify", **self._settings)

    def put_replica_first(self) -> None:
        """Let the second Redis answer at the address of the first one, which restarts there without data."""
        self.replica.take_over(self.redis)
        self.redis, self.replica = self.replica, self.redis
        self.replica.start()
