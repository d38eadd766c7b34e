"""A real pgbouncer in front of a PostgreSQL server."""

import signal
import socket
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from tests.programs import find_program
from tests.servers.postgresql import ANSWER_SECONDS
from tests.servers.process import Server, ordinary_user

CONFIGURATION = """\
[databases]
* = host={host} port={port} user={user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own_port}
unix_socket_dir =
auth_type = any
{settings}
"""


class PgBouncer(Server):
    """A pgbouncer. Settings are those of pgbouncer.ini: PgBouncer(url, pool_mode="transaction")."""

    NAME = "pgbouncer"
    STOPS_BY = ENDS_BY = signal.SIGTERM  # stops without waiting for its clients

    def __init__(self, url: str, **settings: str | int) -> None:
        super().__init__(None, ordinary_user())
        self._behind = urlsplit(url)
        self._settings = settings
        self._program = find_program("pgbouncer", "pgbouncer")

    def __enter__(self) -> Self:
        super().__enter__()
        return self

    @property
    def url(self) -> str:
        """Return the address of the database behind it."""
        return f"postgresql://{self._behind.username}@127.0.0.1:{self.port}{self._behind.path}"

    def command(self) -> list[str | Path]:
        configuration = self.folder / "pgbouncer.ini"
        configuration.write_text(
            CONFIGURATION.format(
                host=self._behind.hostname,
                port=self._behind.port,
                user=self._behind.username,
                own_port=self.port,
                settings="\n".join(f"{name} = {value}" for name, value in self._settings.items()),
            )
        )
        configuration.chmod(0o644)
        return [self._program, configuration]

    def answers(self) -> bool:
        """Return True if it accepts connections, even if the server behind it does not answer."""
        try:
            socket.create_connection(("127.0.0.1", self.port), ANSWER_SECONDS).close()
        except OSError:
            return False
        return True
