"""`python -m chaos`"""

import asyncio
import sys
from statistics import median
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from chaos.faults import CLOCK_FAULTS, CLUSTER_FAULTS, FAULTS
from chaos.ordeal import Verdict, ordeal
from chaos.world import World

ALL = {**FAULTS, **CLOCK_FAULTS, **CLUSTER_FAULTS}


def main(
    faults: Annotated[list[str] | None, typer.Argument(help=f"Of {', '.join(ALL)}; all by default.")] = None,
    times: Annotated[int, typer.Option(min=1, max=1_000, help="How often each fault happens.")] = 20,
    instances: Annotated[int, typer.Option(min=2, max=8)] = 2,
    seed: Annotated[int, typer.Option(help="Of what is chosen by chance.")] = 1,
) -> None:
    """Break real processes under load, and check that every promise is kept. Exits with 1 if one is not."""
    chosen = faults or list(ALL)
    for name in chosen:
        if name not in ALL:
            raise typer.BadParameter(f"{name}: there are {', '.join(ALL)}", param_hint="FAULTS")
    verdicts: dict[str, Verdict] = {}
    columns = (TextColumn("{task.description:>32}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        for name in chosen:
            task = progress.add_task(name, total=times)
            with World(instances, is_cluster=name in CLUSTER_FAULTS, has_clock=name in CLOCK_FAULTS) as world:

                def tick(_seconds: float, task: object = task) -> None:
                    progress.advance(task)  # type: ignore[arg-type]  # its type has no public name

                verdicts[name] = asyncio.run(ordeal(world, [ALL[name]] * times, seed=seed, on_healed=tick))
    Console(width=100).print(table(verdicts, times))
    violations = [
        f"{name}: {violation}" for name, verdict in verdicts.items() for violation in verdict.violations
    ]
    for violation in violations:
        typer.echo(violation, err=True)
    if violations:
        sys.exit(1)


def table(verdicts: dict[str, Verdict], times: int) -> Table:
    shown = Table("fault", "times", "healed", "at most", "acknowledged", "frames", "violations")
    for column in shown.columns:
        column.no_wrap = True
        column.justify = "left" if column is shown.columns[0] else "right"
    for name, verdict in verdicts.items():
        healed = verdict.healed_seconds
        seconds = (f"{median(healed):.2f} s", f"{max(healed):.2f} s")
        counts = (verdict.acknowledged, verdict.frames, len(verdict.violations))
        shown.add_row(name, str(times), *seconds, *(f"{count:,}" for count in counts))
    return shown


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    app()
