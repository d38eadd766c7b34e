"""Redis for the tests: keys on any server, separate servers for single tests, and a cluster of three."""

import signal
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.limits import LIMIT_SECONDS
from tests.servers.finding import redis_program
from tests.servers.process import Server, free_port, until

ANSWER_SECONDS = 1.0

SLOTS = 16_384
"""See https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/."""


class Redis:
    """The keys of a server."""

    def __init__(self, url: str) -> None:
        self._url = url

    @property
    def url(self) -> str:
        return self._url

    def client(self, timeout_seconds: float = LIMIT_SECONDS) -> redis.Redis:
        """Return a client without retries, for a `with` block."""
        once = Retry(NoBackoff(), 0)
        return redis.Redis.from_url(
            self.url,
            decode_responses=True,
            socket_timeout=timeout_seconds,
            socket_connect_timeout=timeout_seconds,
            retry=once,
        )

    def answers(self) -> bool:
        try:
            with self.client(ANSWER_SECONDS) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def execute(self, *command: Any) -> Any:
        """Run one command, such as execute("CONFIG", "SET", "maxmemory", "1mb"), and return its answer."""
        with self.client() as client:
            return client.execute_command(*command)

    def remove(self, prefix: str) -> None:
        """Remove the keys that contain a prefix: a hash tag may come before it."""
        with self.client() as client:
            for key in client.scan_iter(f"*{prefix}*"):
                client.delete(key)


class RedisServer(Redis, Server):
    """A Redis server without persistence: its data are lost when it stops.

    Options are those of redis.conf, with _ for -: RedisServer(maxmemory_policy="noeviction").
    """

    NAME = "Redis"
    STOPS_BY = ENDS_BY = signal.SIGTERM

    def __init__(self, *, environment: Mapping[str, str] | None = None, **options: str | int) -> None:
        Server.__init__(self, environment)
        self.program = redis_program()
        self.options: dict[str, str | int] = {
            "bind": "127.0.0.1",
            "save": "",
            "appendonly": "no",
            "rdb_del_sync_files": "yes",  # a replica starts empty too
            "repl_diskless_sync_delay": 0,  # a replica in a test needs no delay before it syncs
            "shutdown_timeout": 0,
            **options,
        }

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> list[str | Path]:
        command: list[str | Path] = [self.program]
        for name, value in {**self.options, "port": self.port, "dir": str(self.folder)}.items():
            command += [f"--{name.replace('_', '-')}", str(value)]
        return command

    def flush(self) -> None:
        self.execute("FLUSHALL")

    def replica_of(self, other: "RedisServer") -> None:
        """Follow another server. On return, it has all data of the other server."""
        self.execute("REPLICAOF", "127.0.0.1", other.port)
        self._catch_up(other)

    def promote(self, followed: "RedisServer | None" = None) -> None:
        """Stop following: it accepts writes and keeps the data that it has.

        If it followed `other`, it first receives all that this server accepted before the call. So a test
        knows the data of a replica that lags.
        """
        if followed is not None:
            self._catch_up(followed)
        self.execute("REPLICAOF", "NO", "ONE")

    def take_over(self, other: "RedisServer") -> None:
        """Kill the other server, and answer at its port and URL, as a replica does after a fail-over."""
        other.kill()
        self.execute("CONFIG", "SET", "port", other.port)
        self.port, other.port = other.port, self.port

    def _catch_up(self, other: "RedisServer") -> None:
        offset = other._replication()["master_repl_offset"]

        def has_caught_up() -> bool:
            mine = self._replication()
            return mine.get("master_link_status") == "up" and mine["slave_repl_offset"] >= offset

        until(has_caught_up, "the replica holds what the other held")

    def _replication(self) -> dict[str, Any]:
        with self.client() as client:
            information: dict[str, Any] = client.info("replication")
            return information


class RedisSentinel(Redis, Server):
    """A Sentinel that watches a primary, and promotes its replica soon after the primary stops answering."""

    NAME = "Sentinel"
    STOPS_BY = ENDS_BY = signal.SIGTERM

    SERVICE = "mymaster"
    SILENCE_MS = 300

    def __init__(
        self, primary: RedisServer, *, password: str | None = None, primary_password: str = ""
    ) -> None:
        Server.__init__(self, None)
        self.program = redis_program()
        self.primary = primary
        self.password = password
        self.primary_password = primary_password

    @property
    def url(self) -> str:
        return f"redis://:{self.password or ''}@127.0.0.1:{self.port}"

    def command(self) -> list[str | Path]:
        # A Sentinel stores its state in its configuration, so it needs a file.
        configuration = self.folder / "sentinel.conf"
        lines = [
            f"port {self.port}",
            "bind 127.0.0.1",
            f"sentinel monitor {self.SERVICE} 127.0.0.1 {self.primary.port} 1",
            f"sentinel down-after-milliseconds {self.SERVICE} {self.SILENCE_MS}",
            f"sentinel failover-timeout {self.SERVICE} 2000",
        ]
        if self.password is not None:
            lines.append(f"requirepass {self.password}")
        if self.primary_password:
            lines.append(f"sentinel auth-pass {self.SERVICE} {self.primary_password}")
        configuration.write_text("\n".join(lines) + "\n")
        return [self.program, configuration, "--sentinel"]

    def knows_replicas(self) -> int:
        """Return the number of replicas that this Sentinel could promote."""
        with self.client() as client:
            return sum(not one["is_sdown"] for one in client.sentinel_slaves(self.SERVICE))


class RedisCluster:
    """A cluster of three nodes on loopback, each with a third of the slots. Options: see RedisServer."""

    def __init__(self, **options: str | int) -> None:
        self._options = options
        self._stack = ExitStack()
        self.nodes: tuple[RedisServer, ...] = ()

    @property
    def url(self) -> str:
        """Return the URL of one node. A client learns the others from it."""
        return self.nodes[0].url

    def __enter__(self) -> Self:
        try:
            buses = [free_port() for _ in range(3)]
            for bus in buses:
                node = RedisServer(environment=None, cluster_enabled="yes", cluster_port=bus, **self._options)
                self.nodes += (self._stack.enter_context(node),)
            self._form(buses)
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def flush(self) -> None:
        for node in self.nodes:
            node.flush()

    def is_whole(self) -> bool:
        """Return True if every node sees all slots served, which takes some seconds after its start."""
        return all("cluster_state:ok" in node.execute("CLUSTER", "INFO") for node in self.nodes)

    def _form(self, buses: list[int]) -> None:
        bounds = [SLOTS * part // 3 for part in range(4)]
        for number, node in enumerate(self.nodes):
            node.execute("CLUSTER", "ADDSLOTSRANGE", bounds[number], bounds[number + 1] - 1)
            # Distinct epochs save the nodes an election at their start.
            node.execute("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            self.nodes[0].execute("CLUSTER", "MEET", "127.0.0.1", node.port, buses[number])
        until(self.is_whole, "the cluster is whole")
