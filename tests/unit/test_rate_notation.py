"""The notation of rate limits."""

import pytest

from scoreboard.domain.rate_limit import RateLimit
from scoreboard.settings.rate_notation import parse_rate, parse_rate_or_off

DAY = 86_400


@pytest.mark.parametrize(
    ("text", "count", "seconds"),
    [
        ("10/minute", 10, 60),
        (" 010 / Minutes ", 10, 60),
        ("1 per second", 1, 1),
        ("1per2hours", 1, 7_200),
        ("3 PER 5 day\n", 3, 5 * DAY),
        ("7/0 days", 7, DAY),
        ("1/month", 1, 30 * DAY),
        ("1/year", 1, 360 * DAY),
        ("1000000000/second", 1_000_000_000, 1),
    ],
)
def test_a_rate_is_a_count_and_a_time(text: str, count: int, seconds: int) -> None:
    assert parse_rate(text) == parse_rate_or_off(text) == RateLimit(count, seconds * 1_000_000)


NO_RATES = (
    "",
    "often",
    "off",
    "10",
    "/minute",
    "-1/minute",
    "1.5/minute",
    "0/minute",
    "1/week",
    "1/minutess",
)
NO_ONE_RATE = ("1/minute;", "1/minute, 10/hour", "٣/minute", f"{'9' * 5_000}/minute")


@pytest.mark.parametrize("text", [*NO_RATES, *NO_ONE_RATE])
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^must be one rate such as 10/minute$"):
        parse_rate(text)


@pytest.mark.parametrize("text", ["1000000001/second", "1 per 99999 years"])
def test_numbers_beyond_the_databases_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^must have no number beyond 1,000,000,000$"):
        parse_rate(text)
