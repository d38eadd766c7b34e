"""The command, and its table of results."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from scoreboard.cli.arguments import DEFAULT_URL, Url
from scoreboard.cli.bench.latency import Plan, Result, measure, percentile
from scoreboard.cli.progress import progress_bars
from scoreboard.cli.server_url import server_url
from scoreboard.domain.errors import StartError
from scoreboard.domain.submissions import Caller
from scoreboard.settings.catalog import load_catalog
from scoreboard.settings.config import read_settings
from scoreboard.settings.hosts import is_this_machine
from scoreboard.web.auth.tokens_from_settings import tokens_from_settings

USERS: Final = 10
"""All of them fit into the top ten, so that each score changes the board."""

TOKEN_SECONDS: Final = 3_600


def bench(
    url: Url = DEFAULT_URL,
    streams: Annotated[int, typer.Option(min=1, max=5_000, help="The number of streams to open.")] = 100,
    rate: Annotated[float, typer.Option(min=0.1, max=500, help="Scores per second.")] = 1.0,
    seconds: Annotated[float, typer.Option(min=1, max=300, help="How long to send scores.")] = 15.0,
    action: Annotated[
        str | None, typer.Option(metavar="ID", help="The action. Default: the first of the catalog.")
    ] = None,
    let_scores_be_written_there: Annotated[
        bool, typer.Option("--let-scores-be-written-there", help="Required if URL is another machine.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Measure a running scoreboard: the time from a POST until every open stream has the new board.

    This writes real scores for the ten users bench-0 to bench-9, with tokens signed by SCOREBOARD_JWT_SECRET.
    Do not use it on a board that matters. The result includes the network and this command's own time, which
    grows with the number of streams. A score that does not change the top ten reaches no stream, so the ten
    users must be on top.
    """
    if not let_scores_be_written_there and not is_this_machine(server_url(url).host):
        raise StartError(
            f"{url} is not this machine, and real scores would be written there: add "
            "--let-scores-be-written-there."
        )
    settings = read_settings()
    catalog = load_catalog(settings.catalog)
    chosen = catalog.action(action or next(iter(catalog.actions)))
    tokens = tokens_from_settings(settings)
    names = [f"bench-{n}" for n in range(USERS)]
    users = [(name, tokens.sign(Caller(name), TOKEN_SECONDS)) for name in names]
    plan = Plan(url, chosen.board, chosen.id, streams, rate, seconds, users)
    with progress_bars() as progress:
        task = progress.add_task(f"{streams} streams, {rate:g} scores a second", total=None)
        result = asyncio.run(measure(plan, lambda sent, of: progress.update(task, completed=sent, total=of)))
    figures = _figures(result)
    if as_json:
        typer.echo(json.dumps(figures, indent=2))
    else:
        Console().print(_table(url, figures))
    if result.statuses[429]:
        typer.echo("429: these users were over the server's limit. Use a lower --rate, or a higher limit.")
    if result.statuses.keys() - {201} or result.lost or result.missed:
        raise typer.Exit(1)


def _figures(result: Result) -> dict[str, float]:
    accepted = result.statuses[201]
    return {
        "streams": result.opened,
        "streams_lost": result.lost,
        "scores_accepted": accepted,
        "scores_refused": sum(result.statuses.values()) - accepted,
        **_percentiles("post", result.posts),
        **_percentiles("post_to_stream", result.each),
        **_percentiles("post_to_last_stream", result.last),
        "events_delivered": result.events,
        "events_conflated": result.conflated,
        "events_missed": result.missed,
    }


def _percentiles(name: str, seconds: Sequence[float]) -> dict[str, float]:
    if not seconds:
        return {}
    return {
        f"{name}_p{percent}_ms": round(1_000 * percentile(seconds, percent), 3) for percent in (50, 95, 99)
    }


def _table(url: str, figures: Mapping[str, float]) -> Table:
    table = Table("figure", "measured", title=url)
    table.columns[1].justify = "right"
    for name, figure in figures.items():
        table.add_row(name.replace("_", " "), f"{figure:,}" if isinstance(figure, int) else f"{figure:,.2f}")
    return table
