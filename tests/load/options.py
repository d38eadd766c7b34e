"""What every scenario is given, and what it returns."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
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


Scenario = Callable[[Options, OnTick], Coroutine[Any, Any, Figures]]
