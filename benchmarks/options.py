"""The options that each scenario receives, and the figures that it returns."""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Figures = dict[str, float]
OnTick = Callable[[float], None]
"""Reports the completed share of a scenario, from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Options:
    """How much is measured: the options of the command line."""

    seconds: float
    rounds: int
    players: int
    streams: int
    crowd: int
    compares: bool
    rate: float = 100
    against: Path | None = None
    """Another checkout, with its `.venv`, whose server is measured in turns with that of this one."""
    distributions: dict[str, Sequence[tuple[float, int]]] = field(default_factory=dict)
    """For the plot: a histogram by name, as pairs of milliseconds and a count."""


class CannotMeasure(Exception):
    """Raised when the machine lacks a program that a scenario needs. The text names it."""


Scenario = Callable[[Options, OnTick], Coroutine[Any, Any, Figures]]


def ignore_tick(_part: float) -> None:
    """Report no progress."""
