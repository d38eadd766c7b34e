"""The domain's errors, by concern. `web.problems` adds those of HTTP, and gives each one a status."""

from scoreboard.domain.errors.access import *  # noqa: F403
from scoreboard.domain.errors.administration import *  # noqa: F403
from scoreboard.domain.errors.availability import *  # noqa: F403
from scoreboard.domain.errors.base import *  # noqa: F403
from scoreboard.domain.errors.rules import *  # noqa: F403
