"""The clocks of this machine. A test hands in others."""

import time


class SystemClock:
    """`interfaces.Clock` of this machine."""

    def now_us(self) -> int:
        return time.time_ns() // 1_000

    def monotonic(self) -> float:
        return time.monotonic()
