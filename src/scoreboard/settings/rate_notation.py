"""Parsing the notation of a rate limit, such as `10/minute` or `10 per 5 minutes`."""

import re
from typing import Any, Final

from scoreboard.domain.rate_limit import RateLimit

LARGEST_NUMBER: Final = 1_000_000_000
"""Limit for submissions and for seconds (30 years): both stay within the integers of the databases."""

_DAY: Final = 86_400
_UNIT_SECONDS: Final = {
    "second": 1,
    "minute": 60,
    "hour": 3_600,
    "day": _DAY,
    "month": 30 * _DAY,
    "year": 360 * _DAY,
}
_RATE: Final = re.compile(
    r"\s*(?P<count>[0-9]+)\s*(/|per)\s*(?P<units>[0-9]*)\s*"
    rf"(?P<unit>{'|'.join(_UNIT_SECONDS)})s?\s*",
    re.IGNORECASE | re.ASCII,
)


def parse_rate(text: Any) -> Any:
    """Return the rate of a text, and any other value unchanged. Raises ValueError."""
    if not isinstance(text, str):
        return text
    found = _RATE.fullmatch(text)
    try:
        count, units = (0, 0) if found is None else (int(found["count"]), int(found["units"] or 1) or 1)
    except ValueError:  # Python does not convert numbers of more than 4,300 digits.
        count = 0
    if found is None or count < 1:
        raise ValueError("must be one rate such as 10/minute")
    seconds = units * _UNIT_SECONDS[found["unit"].lower()]
    if max(count, seconds) > LARGEST_NUMBER:
        raise ValueError(f"must have no number beyond {LARGEST_NUMBER:,}")
    return RateLimit(count, seconds * 1_000_000)


def parse_rate_or_off(text: Any) -> Any:
    """Return None for `off`, else the rate."""
    return None if text == "off" else parse_rate(text)
