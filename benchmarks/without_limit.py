"""An experiment, not a mode: the server with no rate limit at all, not even the probe for it.

What `SCOREBOARD_RATE_LIMIT=1000000/minute` costs is measured against this.
"""

from sqlalchemy import text

from scoreboard import cli
from scoreboard.store.sqlite import statements as sqlite_statements

PROBE = "(SELECT at_us FROM score_events w WHERE w.player_key = p.key AND w.seq = p.seq + 1 - :limit_count)"


def remove_the_limit() -> None:
    """With no time in it, the rule has nothing to compare."""
    before = sqlite_statements.FACTS.text
    if PROBE not in before:
        raise RuntimeError("the probe of the rate limit reads otherwise now: mend this experiment")
    sqlite_statements.FACTS = text(before.replace(PROBE, "nullif(:limit_count, :limit_count)"))  # type: ignore[misc]


if __name__ == "__main__":
    remove_the_limit()
    cli.main()
