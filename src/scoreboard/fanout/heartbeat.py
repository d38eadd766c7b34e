"""The heartbeat of a stream: a comment line that keeps proxies from closing an idle connection."""

from typing import Final

from scoreboard.fanout.encoding import message

HEARTBEAT_SECONDS: Final = 15.0
"""Silence after which a heartbeat is sent: well below the 30 to 60 s of proxies' time limits."""

HEARTBEAT: Final = message(b":\n")
"""No empty line follows: for many clients it would end an event, and they fail without data."""
