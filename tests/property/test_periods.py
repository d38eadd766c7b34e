"""Any mix of submissions, corrections, clock steps, restarts and lost applies gives boards that equal a plain
fold of their ledger in each period: in the store, in the ranking, on streams, and in all reads.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Final
from uuid import uuid4

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis.stateful import run_state_machine_as_test

from tests.limits import PATIENT_REDIS
from tests.property.period_machine import Periods
from tests.property.processes import Drivers, LossyMemory, LossyRedis
from tests.servers.databases import MigratedDatabases
from tests.stores import migrated_file, open_postgresql, open_sqlite

EXAMPLES: Final = os.environ.get("PERIODS_EXAMPLES")
"""The number of examples of a long search, instead of the few of each run."""

STEPS: Final = 16


@pytest.fixture(autouse=True)
def quick_publisher(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two reads of a board need no pause between them."""
    monkeypatch.setattr("scoreboard.fanout.publisher.READ_PACE_SECONDS", 0.0)


def check_examples(
    new_drivers: Callable[[], AbstractContextManager[Drivers]], processes: int, few: int
) -> None:
    class Example(Periods):
        def __init__(self) -> None:
            super().__init__(new_drivers, processes)

    examples = few if EXAMPLES is None else int(EXAMPLES)
    run_state_machine_as_test(
        Example,
        settings=hypothesis_settings(max_examples=examples, stateful_step_count=STEPS, deadline=None),
    )


def test_every_reading_of_one_process_is_the_fold_of_the_ledger(tmp_path: Path) -> None:
    @contextmanager
    def new_drivers() -> Iterator[Drivers]:
        file = migrated_file(tmp_path / f"{uuid4()}.db")
        yield Drivers(lambda clock, boards: open_sqlite(file, clock, boards=boards), LossyMemory)
        file.unlink()

    check_examples(new_drivers, processes=1, few=15)


def test_every_reading_of_two_processes_is_the_fold_of_the_ledger(
    migrated_databases: MigratedDatabases, redis_url: str, redis_prefix: str
) -> None:
    @contextmanager
    def new_drivers() -> Iterator[Drivers]:
        make_ranking = partial(
            LossyRedis,
            redis_url,
            prefix=f"{redis_prefix}-{uuid4().hex}",
            is_cluster=False,
            limits=PATIENT_REDIS,
        )
        with migrated_databases.one() as url:
            yield Drivers(
                lambda clock, boards: open_postgresql(url, clock=clock, boards=boards), make_ranking
            )

    check_examples(new_drivers, processes=2, few=3)
