"""All errors that the scoreboard raises deliberately, by concern. `web.problems` maps them to HTTP."""

from scoreboard.domain.errors.access import *  # noqa: F403
from scoreboard.domain.errors.administration import *  # noqa: F403
from scoreboard.domain.errors.availability import *  # noqa: F403
from scoreboard.domain.errors.base import *  # noqa: F403
from scoreboard.domain.errors.rules import *  # noqa: F403
