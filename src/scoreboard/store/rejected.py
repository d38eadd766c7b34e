"""The error for content that the database refuses."""


class Rejected(Exception):
    """Raised when a constraint, a trigger or an overflow makes a write fail, and a retry would fail again.

    The message is the database's, without the values that were written.
    """
