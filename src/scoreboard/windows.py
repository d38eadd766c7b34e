"""Decide what counts in a window of time although the clock may have been wrong. Pure functions.

An event has two times. `at_us` is its place in the order of time, which never goes back on a board. `reading_us` is
the clock's reading. Windows are judged by readings, so that a clock that ran ahead refuses no player once it is right.
"""

from typing import Final

from scoreboard.model import Event, Head

SMALL_STEP_US: Final = 1_000_000
"""A step back up to here is one of NTP, or of a fail-over to another server: windows stay exact across it. A larger one
sets a wrong clock right."""


def judged_us(clock_us: int, head: Head) -> int:
    """The time by which a board's next event is judged: it holds still through a small step back."""
    if clock_us >= head.at_us:
        return clock_us
    is_small_step = 0 <= head.reading_us - clock_us <= SMALL_STEP_US
    return head.reading_us if is_small_step else clock_us


def order_us(judged_us: int, head: Head) -> tuple[int, int | None]:
    """`Event.at_us` and `Event.clock_us` of a board's next event."""
    return (judged_us, None) if judged_us >= head.at_us else (head.at_us, judged_us)


def is_ahead(event_us: int, now_us: int) -> bool:
    """Whether an event was written while the clock ran ahead: it counts in no window."""
    return event_us - now_us > SMALL_STEP_US


def left_us(event_us: int | None, window_us: int, now_us: int) -> int:
    """How long an event still counts in a window that began with it; 0 where it does not."""
    if event_us is None or is_ahead(event_us, now_us):
        return 0
    return max(0, event_us + window_us - now_us)


def head_after(event: Event) -> Head:
    """The head of a board whose newest event this is."""
    return Head(event.version, event.at_us, clock_us=event.clock_us)
