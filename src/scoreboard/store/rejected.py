"""The database refuses the content of a transaction."""


class Rejected(Exception):
    """Raised when a database refuses what is written, and would refuse it again: a constraint, a trigger, an overflow.

    The message is the database's, without the values that were written.
    """
