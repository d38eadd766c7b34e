"""The error for content that the database refuses."""


class ContentRejected(Exception):
    """Raised when a constraint, a trigger or an overflow makes a write fail, and a retry would fail again.

    The message is the database's, without the values that were written.
    """


class BoardMissing(ContentRejected):
    """Raised when a board of a batch has no row, or its row has another key than is known: a backup was restored."""

    def __init__(self) -> None:
        super().__init__("a board of the batch has no row in the database")
