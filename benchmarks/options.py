"""What every scenario is given, and what it returns."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Figures = dict[str, float]
OnTick = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Options:
    """How much is measured."""

    seconds: float
    rounds: int
    players: int
    streams: int
    crowd: int
    compares: bool
    rate: float = 100
    """Score updates a second where a scenario leaves that open."""
    distributions: dict[str, Sequence[tuple[float, int]]] = field(default_factory=dict)
    """For a picture: by name, so many milliseconds, and how many took so long."""


class CannotMeasure(Exception):
    """Raised when this machine lacks what a scenario needs; tells what that is."""


Scenario = Callable[[Options, OnTick], Coroutine[Any, Any, Figures]]
Scenarios = Callable[[Options, OnTick], Coroutine[Any, Any, Mapping[str, Figures]]]
"""Some that share a costly beginning: the figures of each by its name."""
