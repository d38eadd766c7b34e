"""Days, weeks and months in time zones, also where midnight does not exist or comes twice."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoreboard.domain.periods import PeriodKind, earlier, midnight_us, parse_period, period_at

DAY, WEEK, MONTH = PeriodKind
SECOND_US = 1_000_000

BERLIN = "Europe/Berlin"
SANTIAGO = "America/Santiago"
ST_JOHNS = "America/St_Johns"
LORD_HOWE = "Australia/Lord_Howe"


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp()) * SECOND_US


def utc(at_us: int) -> str:
    return datetime.fromtimestamp(at_us / SECOND_US, UTC).isoformat()


@pytest.mark.parametrize(
    ("zone", "kind", "moment", "id", "begins", "ends"),
    [
        (BERLIN, DAY, "2026-11-25T12:00+01", "2026-11-25", "2026-11-25T00:00+01", "2026-11-26T00:00+01"),
        (BERLIN, DAY, "2026-11-25T00:00+01", "2026-11-25", "2026-11-25T00:00+01", "2026-11-26T00:00+01"),
        (BERLIN, DAY, "2026-11-24T23:30+00", "2026-11-25", "2026-11-25T00:00+01", "2026-11-26T00:00+01"),
        # 23 and 25 hours.
        (BERLIN, DAY, "2026-03-29T12:00+02", "2026-03-29", "2026-03-29T00:00+01", "2026-03-30T00:00+02"),
        (BERLIN, DAY, "2026-10-25T12:00+01", "2026-10-25", "2026-10-25T00:00+02", "2026-10-26T00:00+01"),
        # Midnight does not exist: the day begins at 01:00.
        (SANTIAGO, DAY, "2026-09-06T04:00Z", "2026-09-06", "2026-09-06T04:00Z", "2026-09-07T03:00Z"),
        ("Africa/Cairo", DAY, "2026-04-23T22:00Z", "2026-04-24", "2026-04-23T22:00Z", "2026-04-24T21:00Z"),
        ("America/Havana", DAY, "2026-03-08T05:00Z", "2026-03-08", "2026-03-08T05:00Z", "2026-03-09T04:00Z"),
        # Midnight comes twice, or the hour before it: the day begins once.
        ("America/Havana", DAY, "2026-11-01T04:00Z", "2026-11-01", "2026-11-01T04:00Z", "2026-11-02T05:00Z"),
        ("America/Havana", DAY, "2026-11-01T05:30Z", "2026-11-01", "2026-11-01T04:00Z", "2026-11-02T05:00Z"),
        (SANTIAGO, DAY, "2026-04-05T03:30Z", "2026-04-04", "2026-04-04T03:00Z", "2026-04-05T04:00Z"),
        (ST_JOHNS, DAY, "2006-10-29T02:45Z", "2006-10-29", "2006-10-29T02:30Z", "2006-10-30T03:30Z"),
        # The day that Samoa skipped.
        ("Pacific/Apia", DAY, "2011-12-30T09:59Z", "2011-12-29", "2011-12-29T10:00Z", "2011-12-30T10:00Z"),
        ("Pacific/Apia", DAY, "2011-12-30T10:00Z", "2011-12-31", "2011-12-30T10:00Z", "2011-12-31T10:00Z"),
        # Half an hour.
        (LORD_HOWE, DAY, "2026-10-04T12:00Z", "2026-10-04", "2026-10-03T13:30Z", "2026-10-04T13:00Z"),
        # ISO weeks belong to the year of their Thursday.
        ("UTC", WEEK, "2026-11-28T12:00Z", "2026-W48", "2026-11-23T00:00Z", "2026-11-30T00:00Z"),
        ("UTC", WEEK, "2027-01-03T23:59Z", "2026-W53", "2026-12-28T00:00Z", "2027-01-04T00:00Z"),
        ("UTC", MONTH, "2028-02-29T12:00Z", "2028-02", "2028-02-01T00:00Z", "2028-03-01T00:00Z"),
        ("UTC", MONTH, "2026-12-31T23:59Z", "2026-12", "2026-12-01T00:00Z", "2027-01-01T00:00Z"),
        # A month that begins on a day without midnight.
        ("Asia/Beirut", DAY, "2021-03-27T22:00Z", "2021-03-28", "2021-03-27T22:00Z", "2021-03-28T21:00Z"),
    ],
)  # fmt: skip
def test_a_period_begins_at_the_midnight_of_the_time_zone(
    zone: str, kind: PeriodKind, moment: str, id: str, begins: str, ends: str
) -> None:
    period = period_at(kind, at(moment), ZoneInfo(zone))
    assert (period.id, utc(period.begins_us), utc(period.ends_us)) == (id, utc(at(begins)), utc(at(ends)))


@given(
    zone=st.sampled_from(sorted(available_timezones())),
    kind=st.sampled_from(PeriodKind),
    moment=st.datetimes(datetime(1990, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_each_moment_is_in_one_period_and_periods_follow_each_other(
    zone: str, kind: PeriodKind, moment: datetime
) -> None:
    timezone, at_us = ZoneInfo(zone), round(moment.timestamp()) * SECOND_US
    period = period_at(kind, at_us, timezone)
    assert period.begins_us <= at_us < period.ends_us
    assert parse_period(period.id, timezone) == period
    assert period_at(kind, period.ends_us, timezone).begins_us == period.ends_us
    assert earlier(period, 1, timezone).ends_us == period.begins_us


def test_a_day_that_was_skipped_has_no_moment() -> None:
    skipped = parse_period("2011-12-30", ZoneInfo("Pacific/Apia"))
    assert skipped.begins_us == skipped.ends_us == midnight_us(date(2011, 12, 31), ZoneInfo("Pacific/Apia"))


@pytest.mark.parametrize(
    "id", ["", "all", "2026", "2021-W53", "2026-13", "2026-02-30", "20261128", "2026-W48-1", "2026W48"]
)
def test_other_texts_are_not_periods(id: str) -> None:
    with pytest.raises(ValueError, match="not a period"):
        parse_period(id, ZoneInfo("UTC"))
