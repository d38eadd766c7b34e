"""Time limits of the tests.

No test depends on how fast the machine is: it holds the clock, or waits for an event. The limit only ends a
test of a broken product, so it is far above what a busy machine needs. A test of one of the product's own
time limits sets it.
"""

from typing import Final

from scoreboard.ranking.redis import connection as redis_connection
from scoreboard.store.postgresql import postgresql_database

LIMIT_SECONDS: Final = 60.0

PATIENT_POSTGRESQL: Final = postgresql_database.DatabaseLimits(
    connections=4,
    silence_seconds=LIMIT_SECONDS,
    lock_seconds=LIMIT_SECONDS,
    statement_seconds=LIMIT_SECONDS,
    idle_in_transaction_seconds=LIMIT_SECONDS,
)

PATIENT_REDIS: Final = redis_connection.RedisLimits(connections=4, silence_seconds=LIMIT_SECONDS)
