"""The scopes that a token may have."""

from typing import Final

WRITE_SCORES: Final = "scores:write"
"""Submit actions for the user whom the token names."""

WRITE_ANY_SCORES: Final = "scores:write:any"
"""Submit actions for any user: the scope of a trusted server."""

ADMINISTER: Final = "scoreboard:admin"
"""Correct the boards and read the audit log."""
