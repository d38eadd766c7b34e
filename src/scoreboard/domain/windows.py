"""Pure functions that decide which events count in a window of time, even if the clock was wrong.

An event has two times. `at_us` never decreases on a board, even if the clock goes back. `reading_us` is what
the clock said. Windows use readings, so that events from while the clock ran ahead do not block players after
its correction.
"""

from typing import Final

from scoreboard.domain.events import Event, Head

SMALL_STEP_US: Final = 1_000_000
"""The largest step back that NTP or a fail-over causes. After a larger one, the clock was wrong before."""


def judged_us(reading_us: int, head: Head) -> int:
    """Return the time that the rules use for a board's next event.

    If the clock was set back by `SMALL_STEP_US` at most, it is the reading of the board's newest event.
    Otherwise it is `reading_us`.
    """
    if reading_us >= head.at_us:
        return reading_us
    is_small_step = 0 <= head.reading_us - reading_us <= SMALL_STEP_US
    return head.reading_us if is_small_step else reading_us


def order_us(judged_us: int, head: Head) -> tuple[int, int | None]:
    """Return `Event.at_us` and `Event.clock_us` of a board's next event."""
    return (judged_us, None) if judged_us >= head.at_us else (head.at_us, judged_us)


def is_ahead(event_us: int, now_us: int) -> bool:
    """Return True if an event was written while the clock ran ahead: it counts in no window."""
    return event_us - now_us > SMALL_STEP_US


def left_us(event_us: int | None, window_us: int, now_us: int) -> int:
    """Return for how long an event still counts in a window that started with it, or 0."""
    if event_us is None or is_ahead(event_us, now_us):
        return 0
    return max(0, event_us + window_us - now_us)


def head_after(head: Head, event: Event) -> Head:
    """Return the head of a board after its next event, which is no rollover."""
    return Head(event.version, event.at_us, clock_us=event.clock_us, periods=head.periods)
