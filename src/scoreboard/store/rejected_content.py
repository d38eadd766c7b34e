"""Errors of content that the database refuses."""


class ContentRejected(Exception):
    """Raised if a constraint, a trigger or an overflow makes a write fail, so that a retry would fail again.

    The message is the database's, without the values that were written.
    """


class BoardMissing(ContentRejected):
    """Raised if a board of a batch has no row, or a new key: a backup was restored."""

    def __init__(self) -> None:
        super().__init__("a board of the batch has no row in the database")


class BoardRedefined(ContentRejected):
    """Raised if another process has changed the definition of a board that has no event: a restart is due."""
