"""Progress bars."""

from contextlib import ExitStack

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from scoreboard.ports.progress import Report


def progress_bars() -> Progress:
    """Return progress bars on standard error, which disappear at the end. Only a terminal shows them."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # Without a terminal, they would still print an empty line at the end.
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def reporter(progress: Progress, prefix: str = "") -> Report:
    """Return a function that shows each step as a bar."""
    tasks: dict[str, TaskID] = {}

    def report(step: str, done: int, of: int) -> None:
        if step not in tasks:
            tasks[step] = progress.add_task(f"{prefix}{step}")
        progress.update(tasks[step], completed=done, total=of)

    return report


def started_reporter(stack: ExitStack) -> Report:
    """Return a function like `reporter`. Nothing is printed if it is not called."""
    bars = progress_bars()
    show = reporter(bars)

    def report(step: str, done: int, of: int) -> None:
        if not bars.live.is_started:
            stack.enter_context(bars)
        show(step, done, of)

    return report
