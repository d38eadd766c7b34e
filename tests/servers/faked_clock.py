"""A control of a server's time of day by libfaketime, which leaves the monotonic clock unchanged."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from tests.programs import go_without
from tests.servers.process import ordinary_user, own_folder

LIBRARIES = ("usr/lib/*/faketime/libfaketime.so.1", "usr/lib/faketime/libfaketime.so.1")


class FakedClock:
    """Start a process with its `environment`. Then its clock can be set ahead and back while it runs."""

    def __init__(self) -> None:
        found = [path for pattern in LIBRARIES for path in Path("/").glob(pattern)]
        if not found:
            go_without("libfaketime is needed for this test: on Debian, apt-get install faketime")
        self._library = found[0]

    def __enter__(self) -> Self:
        self._folder = own_folder("scoreboard-clock-", ordinary_user())
        self._file = self._folder / "ahead"
        self.set_ahead(0)
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._folder)

    @property
    def environment(self) -> Mapping[str, str]:
        return {
            "LD_PRELOAD": str(self._library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    @property
    def leaping_environment(self) -> Mapping[str, str]:
        """The environment of a process with a `leaping_clock`."""
        return {"FAKETIME_TIMESTAMP_FILE": str(self._file)}

    def set_ahead(self, seconds: int) -> None:
        """Set the clock ahead by `seconds` in total. A reader sees the old time or the new one."""
        written = self._folder / "written"
        written.write_text(f"{seconds:+d}\n")
        written.chmod(0o644)
        written.rename(self._file)
