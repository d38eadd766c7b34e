"""`scoreboard bench`: measure a running scoreboard as its clients see it."""

from scoreboard.cli.bench.command import bench

__all__ = ["bench"]
