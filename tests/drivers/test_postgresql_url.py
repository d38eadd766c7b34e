"""Every documented form of a database URL connects to a real server."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from scoreboard.settings.config import read_settings
from scoreboard.store.postgresql import postgresql_database
from scoreboard.store.postgresql.connections import Connections
from tests.limits import PATIENT_POSTGRESQL
from tests.making import commit, submission
from tests.servers.databases import create_migrated
from tests.servers.postgresql import PostgresServer
from tests.stores import open_postgresql


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A server that also listens on a Unix socket in its own folder."""
    with PostgresServer(fsync=False, unix_socket_directories=".") as server:
        create_migrated(server, "scores")
        yield server


@pytest.fixture
def password_file(tmp_path: Path, server: PostgresServer) -> Path:
    server.sql("DROP ROLE IF EXISTS keeper")
    server.sql("CREATE ROLE keeper SUPERUSER LOGIN PASSWORD 'kept'")
    (tmp_path / "passwords").write_text(f"127.0.0.1:{server.port}:scores:keeper:kept\n")
    (tmp_path / "passwords").chmod(0o600)
    return tmp_path / "passwords"


WORKING = {
    "a socket's folder": "postgresql:///scores?host={folder}&port={port}&user=postgres",
    "a socket's folder as the host": "postgresql://postgres@{folder}:{port}/scores",
    "a port as an option": "postgresql://postgres@127.0.0.1/scores?port={port}",
    "a host as an option": "postgres://postgres@/scores?host=127.0.0.1&port={port}",
    "a database as an option": "postgresql://postgres@127.0.0.1:{port}/?dbname=scores",
    "several hosts": "postgresql://postgres@127.0.0.1:1,127.0.0.1:{port}/scores",
    "several hosts as options": "postgresql:///scores?host=127.0.0.1,127.0.0.1&port=1,{port}&user=postgres",
    "the primary": "postgresql://postgres@127.0.0.1:{port}/scores?target_session_attrs=read-write",
    "a time-out": "postgresql://postgres@127.0.0.1:{port}/scores?connect_timeout=10",
    "TLS if there is any": "postgresql://postgres@127.0.0.1:{port}/scores?sslmode=prefer&channel_binding=prefer",
    "no encryption": "postgresql://postgres@127.0.0.1:{port}/scores?sslmode=disable&gssencmode=disable",
    "a file of passwords": "postgresql://keeper@127.0.0.1:{port}/scores?passfile={passfile}",
}


@pytest.mark.parametrize("url", WORKING.values(), ids=WORKING.keys())
async def test_the_schema_is_migrated_and_scores_are_stored_with(
    url: str, server: PostgresServer, password_file: Path
) -> None:
    folder = quote(str(server.data), safe="")
    url = url.format(folder=folder, port=server.port, passfile=quote(str(password_file)))
    assert (
        read_settings(database_url=url, redis_url="redis://localhost", jwt_secret="x" * 32).full_database_url
        == url
    )
    await asyncio.to_thread(postgresql_database.migrate, url)
    await postgresql_database.check(url)
    async with open_postgresql(url) as store:
        before = (await store.heads())["main"].version
        await commit(store, submission("ada"))
        assert (await store.heads())["main"].version == before + 1


async def test_session_parameters_reach_the_server(server: PostgresServer) -> None:
    options = "application_name=arcade&options=-c%20work_mem%3D12MB"
    url = f"postgresql://postgres@127.0.0.1:{server.port}/scores?{options}"
    reading = postgresql_database.make_server(url, PATIENT_POSTGRESQL)
    async with reading.prober, Connections(reading, PATIENT_POSTGRESQL, 1, "read") as connections:
        named = "SELECT current_setting('application_name'), current_setting('work_mem')"
        shown = await connections.run(lambda connection: connection.exec_driver_sql(named).one())
    assert tuple(shown) == ("arcade", "12MB")
