"""The command line: `python -m benchmarks`."""

import json
import re
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
import uvloop
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks.machine import machine
from benchmarks.options import CannotMeasure, Figures, Options
from benchmarks.plot import plot
from benchmarks.scenarios import NAMES, PROMISED, run


@dataclass(frozen=True, slots=True)
class Goal:
    """A lower or an upper bound of a figure."""

    scenario: str
    figure: str
    least: bool
    number: float

    def __str__(self) -> str:
        return f"{self.scenario}.{self.figure} {'≥' if self.least else '≤'} {self.number:,g}"

    def is_met(self, results: Mapping[str, Figures]) -> bool:
        """Return False also for a figure that was not measured."""
        measured = results.get(self.scenario, {}).get(self.figure)
        if measured is None:
            return False
        return measured >= self.number if self.least else measured <= self.number


def parse_goal(text: str, least: bool, chosen: Sequence[str]) -> Goal:
    matched = re.fullmatch(r"([a-z-]+)\.([a-z0-9_]+)=([0-9.]+)", text)
    if matched is None:
        raise typer.BadParameter(f"{text}: give scenario.figure=number, such as updates.rate=3000")
    if matched[1] not in chosen:
        raise typer.BadParameter(f"{text}: the scenario {matched[1]} is not selected")
    return Goal(matched[1], matched[2], least, float(matched[3]))


def main(
    scenarios: Annotated[
        list[str] | None, typer.Argument(help=f"Any of {', '.join(NAMES)}. Default: all.")
    ] = None,
    seconds: Annotated[float, typer.Option(min=1, max=300, help="Duration of each measurement.")] = 10,
    rounds: Annotated[int, typer.Option(min=1, max=20, help="Alternating rounds of a comparison.")] = 3,
    players: Annotated[
        int,
        typer.Option(
            min=1,
            max=10_000_000,
            help="Players in “start”, “many-reads”, “distributed-fill” and “…rollover”.",
        ),
    ] = 1_000_000,
    streams: Annotated[
        int, typer.Option(min=1, max=10_000, help="Open streams, except in “fanout…”.")
    ] = 1_000,
    crowd: Annotated[
        int, typer.Option(min=10, max=19_500, help="Open streams in “fanout…” and “costs”.")
    ] = 10_000,
    rate: Annotated[
        float, typer.Option(min=1, max=1_000, help="Score updates per second in “rolling-deploy”.")
    ] = 100,
    compare: Annotated[
        bool,
        typer.Option("--compare", help="In “fanout”, alternate with a loop in C and with two libraries."),
    ] = False,
    against: Annotated[
        Path | None,
        typer.Option(
            help="In “updates” and “distributed-updates”, alternate with the server of this other checkout, "
            "by its .venv."
        ),
    ] = None,
    at_least: Annotated[
        list[str] | None,
        typer.Option(help="Exit with 1 if a figure is lower, for example updates.rate=3000. Repeatable."),
    ] = None,
    at_most: Annotated[
        list[str] | None,
        typer.Option(help="Exit with 1 if a figure is higher, for example updates.p99_ms=60. Repeatable."),
    ] = None,
    plot_to: Annotated[
        Path | None,
        typer.Option("--plot", help="Write a plot of the delays of “fanout” to this SVG file."),
    ] = None,
    json_to: Annotated[
        str | None, typer.Option("--json", help="Write the figures to this file, or to stdout with -.")
    ] = None,
) -> None:
    """Measure the server of this source tree on this machine, over loopback. Each scenario starts empty."""
    chosen = scenarios or list(NAMES)
    for name in chosen:
        if name not in NAMES:
            raise typer.BadParameter(f"{name}: use any of {', '.join(NAMES)}", param_hint="SCENARIOS")
    goals = [parse_goal(text, True, chosen) for text in at_least or ()]
    goals += [parse_goal(text, False, chosen) for text in at_most or ()]
    for name in chosen:
        goals += [Goal(name, figure, False, most) for figure, most in PROMISED.get(name, {}).items()]
    options = Options(seconds, rounds, players, streams, crowd, compare, rate, against)
    results = measure(chosen, options)
    if plot_to is not None and options.distributions:
        title = f"From a POST to each of {crowd:,} open streams, on {machine()['cores']} cores"
        plot_to.write_text(plot(title, options.distributions), encoding="utf-8")
    missed = [goal for goal in goals if not goal.is_met(results)]
    report = {"machine": machine(), "figures": results, "missed": [str(goal) for goal in missed]}
    if json_to == "-":
        typer.echo(json.dumps(report, indent=2))
    else:
        Console().print(table(results, goals))
        if json_to is not None:
            Path(json_to).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    if missed:
        typer.echo(f"missed: {', '.join(map(str, missed))}", err=True)
        sys.exit(1)


def measure(chosen: list[str], options: Options) -> dict[str, Figures]:
    results: dict[str, Figures] = {}
    with Progress(
        TextColumn("{task.description:>22}"), BarColumn(), TimeElapsedColumn(), console=Console(stderr=True)
    ) as progress:
        for name in chosen:
            if name in results:
                continue
            task = progress.add_task(name, total=1)

            def on_tick(part: float, task: TaskID = task) -> None:
                progress.update(task, completed=part)

            try:
                results |= uvloop.run(run(name, options, on_tick))
            except CannotMeasure as error:
                progress.console.print(f"{name}: {error}")
            progress.update(task, completed=1)
    return results


def table(results: Mapping[str, Figures], goals: list[Goal]) -> Table:
    shown = Table(
        "scenario", "figure", "measured", "goal", title=" · ".join(f"{k} {v}" for k, v in machine().items())
    )
    shown.columns[2].justify = "right"
    for scenario, figures in results.items():
        for number, (figure, value) in enumerate(figures.items()):
            asked = [goal for goal in goals if (goal.scenario, goal.figure) == (scenario, figure)]
            verdicts = ", ".join(
                f"{'≥' if goal.least else '≤'} {goal.number:,g} {'met' if goal.is_met(results) else 'MISSED'}"
                for goal in asked
            )
            shown.add_row(
                scenario if number == 0 else "", figure, f"{value:,.{0 if value >= 100 else 2}f}", verdicts
            )
        shown.add_section()
    return shown


if __name__ == "__main__":
    # Ends the servers on SIGTERM as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    app()
