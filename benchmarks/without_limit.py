"""Run the server without a rate limit: an experiment that shows the cost of the limit, not a mode."""

from sqlalchemy import text

from scoreboard.cli import main
from scoreboard.store.sqlite import facts

if __name__ == "__main__":
    # Without the time of an earlier score, the rule never applies.
    facts.FACTS = text(  # type: ignore[misc]
        facts.FACTS.text.replace(facts.LIMIT_PROBE, "nullif(:limit_count, :limit_count)")
    )
    main()
