"""Reports of the progress of long operations."""

from collections.abc import Callable

Report = Callable[[str, int, int], None]
"""Called with the name of a step, how much of it is done, and its size."""


def ignore(_step: str, _done: int, _of: int) -> None:
    """Ignore a report."""
