"""Catalogs for the scenarios of boards with periods, and a time zone whose day ends when a scenario wants."""

import json
import os
import struct
import tempfile
import time
import zoneinfo
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Final, Self
from zoneinfo import ZoneInfo

from benchmarks.options import CannotMeasure
from scoreboard.domain.definitions import Definition
from scoreboard.domain.periods import PeriodKind

BOARD = "main"
ACTION = "complete-quest"
WITH_PERIODS: Final = Definition(periods=tuple(PeriodKind))

DAY_SECONDS = 86_400
LONGEST_RUN_SECONDS = 900
"""Scenarios with a day that must stay open do not begin later than this before midnight in UTC."""


@contextmanager
def catalog(definition: Definition, boards: Mapping[str, str] | None = None) -> Iterator[Mapping[str, str]]:
    """Write a catalog of boards with one definition, each with an action. Yield the setting that names it.

    `boards` has the board of each action: by default one.
    """
    tables = []
    periods, timezone = json.dumps([*definition.periods]), json.dumps(str(definition.timezone))
    for action, board in (boards or {ACTION: BOARD}).items():
        tables.append(
            f'[boards.{board}]\ntitle = "{board}"\n'
            f"periods = {periods}\ntimezone = {timezone}\n"
            f'[actions.{action}]\ntitle = "{action}"\nboard = "{board}"\npoints = 50\n'
        )
    with tempfile.TemporaryDirectory(prefix="scoreboard-load-") as folder:
        path = Path(folder) / "catalog.toml"
        path.write_text("\n".join(tables))
        yield {"SCOREBOARD_CATALOG": str(path)}


def today_us() -> int:
    """Return the time, in microseconds. Raises CannotMeasure shortly before midnight in UTC."""
    now = time.time()
    if DAY_SECONDS - now % DAY_SECONDS < LONGEST_RUN_SECONDS:
        raise CannotMeasure("the day ends soon in UTC: start again after midnight")
    return int(now * 1e6)


class TimeZone:
    """A time zone with the clocks of UTC, until `end_day` sets them ahead. In a `with` block."""

    NAME = "Load/Zone"

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="scoreboard-load-")
        self._file = Path(self._folder.name) / self.NAME
        self._file.parent.mkdir()
        self._write(_tzif())
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables of processes that know the zone."""
        return {"PYTHONTZPATH": os.pathsep.join([self._folder.name, *zoneinfo.TZPATH])}

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo.from_file(BytesIO(_tzif()), self.NAME)

    def end_day(self, seconds: float) -> float:
        """Set the clocks ahead, so that today ends in some seconds. Return the Unix time of that moment.

        Processes that run already do not notice it. The day began when it began before.
        """
        now = int(time.time())
        ends_at = now + int(seconds)
        self._write(_tzif((now, DAY_SECONDS - ends_at % DAY_SECONDS)))
        return ends_at

    def _write(self, content: bytes) -> None:
        self._file.write_bytes(content)


def _tzif(*changes: tuple[int, int]) -> bytes:
    """Return a zone (RFC 9636) that begins as UTC. `changes` are times and the offsets from then on."""
    offsets = (0, *(offset for _, offset in changes))
    return b"".join(
        (
            struct.pack(">4s16x6l", b"TZif", 0, 0, 0, len(changes), len(offsets), 4),
            *(struct.pack(">l", at) for at, _ in changes),
            bytes(range(1, 1 + len(changes))),
            *(struct.pack(">lBB", offset, 0, 0) for offset in offsets),
            b"LMT\0",
        )
    )
