"""Versioned migrations (Alembic), the same for both databases."""

from typing import Final

APPLICATION_ID: Final = 0x53434F52
"""`PRAGMA application_id` of a scoreboard database: "SCOR" (https://www.sqlite.org/pragma.html)."""
