"""A jump of the clock is refused for a while, and then accepted. Smaller changes are accepted at once."""

from contextlib import suppress

import pytest
from structlog.testing import capture_logs

from scoreboard.domain.errors import ClockUnsure
from scoreboard.services.clock_guard import GRACE_SECONDS, JUMP_SECONDS, ClockGuard
from tests.clocks import HeldClock

YEAR = 365 * 86_400.0


@pytest.fixture
def guard(clock: HeldClock) -> ClockGuard:
    guard = ClockGuard(clock)
    guard.check(clock.us)
    return guard


@pytest.mark.parametrize("seconds", [0.0, 3_600.0, YEAR])
def test_elapsed_time_is_no_jump(guard: ClockGuard, clock: HeldClock, seconds: float) -> None:
    clock.advance(seconds)
    guard.check(clock.us)
    assert (guard.jumps, guard.is_unsure) == (0, False)


def test_many_small_steps_are_no_jump(guard: ClockGuard, clock: HeldClock) -> None:
    for _ in range(100):
        clock.set_ahead(JUMP_SECONDS)
        guard.check(clock.us)
    assert guard.jumps == 0


@pytest.mark.parametrize("seconds", [JUMP_SECONDS + 0.001, -JUMP_SECONDS - 0.001, YEAR, -YEAR])
def test_a_jump_is_refused_for_the_grace_period_and_then_accepted(
    guard: ClockGuard, clock: HeldClock, seconds: float
) -> None:
    clock.set_ahead(seconds)
    with capture_logs() as logs:
        for _ in range(3):
            with pytest.raises(ClockUnsure) as refused:
                guard.check(clock.us)
            assert guard.is_unsure
            clock.advance(GRACE_SECONDS / 3)
        assert refused.value.retry_after_us == pytest.approx(GRACE_SECONDS / 3 * 1_000_000, abs=2)
        for _ in range(3):
            guard.check(clock.us)
            assert not guard.is_unsure
    assert [line["log_level"] for line in logs] == ["error", "warning"]
    assert guard.jumps == 1


def test_a_clock_that_comes_back_is_trusted_at_once(guard: ClockGuard, clock: HeldClock) -> None:
    for seconds in (YEAR, -YEAR):
        clock.set_ahead(seconds)
        with pytest.raises(ClockUnsure):
            guard.check(clock.us)
        clock.set_ahead(-seconds)
        guard.check(clock.us)
        assert not guard.is_unsure


def test_a_clock_that_jumps_back_and_forth_must_be_stable_for_the_whole_grace_period(
    guard: ClockGuard, clock: HeldClock
) -> None:
    for _ in range(10):
        for seconds in (YEAR, YEAR):
            clock.set_ahead(seconds)
            with pytest.raises(ClockUnsure):
                guard.check(clock.us)
            clock.advance(GRACE_SECONDS - 1)
        clock.set_ahead(-2 * YEAR)
        guard.check(clock.us)


def test_the_grace_period_ends_without_any_write(guard: ClockGuard, clock: HeldClock) -> None:
    clock.set_ahead(YEAR)
    with suppress(ClockUnsure):
        guard.check(clock.us)
    clock.advance(GRACE_SECONDS)
    assert not guard.is_unsure


def test_a_clock_difference_at_start_is_logged_once_and_accepted(clock: HeldClock) -> None:
    with capture_logs() as logs:
        guard = ClockGuard(clock)
        for _ in range(3):
            clock.advance(10)
            guard.check(clock.us + 120_000_000)
    assert [line["ahead_seconds"] for line in logs] == [120]
