"""`scoreboard watch`: follow a board in a terminal or in a pipe."""

from scoreboard.cli.watch.command import watch

__all__ = ["watch"]
