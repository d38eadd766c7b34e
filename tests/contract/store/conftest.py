"""Empty databases of each driver."""

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.contract.store.databases import Database, in_file, on_server
from tests.servers.postgresql import Postgres


@pytest.fixture
def make_database(
    driver: str, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Callable[[], Database]]:
    """Creates an empty database."""
    if driver == "sqlite":
        yield lambda: in_file(tmp_path / f"{uuid4()}.db")
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    names: list[str] = []

    def make() -> Database:
        names.append(f"scoreboard_test_{uuid4().hex}")
        postgres.create_database(names[-1])
        return on_server(postgres.url(names[-1]))

    yield make
    for name in names:
        postgres.drop_database(name)


@pytest.fixture
def database(make_database: Callable[[], Database]) -> Database:
    return make_database()


@pytest.fixture
def databases(make_database: Callable[[], Database]) -> tuple[Database, Database]:
    """A database for the newest schema, and one for an old one."""
    return make_database(), make_database()
