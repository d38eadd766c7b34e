"""The clocks of this machine."""

import time
from typing import Final

_STEADY: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Linux's CLOCK_MONOTONIC stops while the machine is suspended: waking up would look like a jump."""


class SystemClock:
    """Implementation of the `Clock` port with this machine's clocks."""

    def now_us(self) -> int:
        return time.time_ns() // 1_000

    def monotonic(self) -> float:
        return time.clock_gettime(_STEADY)
