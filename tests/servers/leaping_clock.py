"""The program on a machine that was suspended: `python -P leaping_clock.py serve`.

Its clocks, but not its timers, are ahead by the seconds in the file of a `FakedClock`. If PostgreSQL has the
same clock, both wake up at the same moment.
"""

import os
from pathlib import Path
from unittest.mock import patch

from scoreboard import app, cli
from scoreboard.clock import SystemClock
from scoreboard.web.auth import tokens_from_settings

_AHEAD = Path(os.environ["FAKETIME_TIMESTAMP_FILE"])


class LeapingClock(SystemClock):
    """The machine's clocks, and the time for which it was suspended."""

    def now_us(self) -> int:
        return super().now_us() + 1_000_000 * int(_AHEAD.read_text())

    def monotonic(self) -> float:
        return super().monotonic() + int(_AHEAD.read_text())


if __name__ == "__main__":
    with (
        patch.object(app, "SystemClock", LeapingClock),
        patch.object(tokens_from_settings, "SystemClock", LeapingClock),
    ):
        cli.main()
