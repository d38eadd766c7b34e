"""Versioned migrations (Alembic), the same for every dialect."""

from typing import Final

APPLICATION_ID: Final = 0x53434F52
"""`PRAGMA application_id` of a SQLite file that is ours: "SCOR" (https://www.sqlite.org/pragma.html)."""
