"""`scoreboard admin …`"""

import asyncio
import getpass
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Final, TypeVar

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from scoreboard.app import open_administration
from scoreboard.cli.arguments import checked
from scoreboard.domain.administration import Correction, LedgerRecord, SuspicionThresholds
from scoreboard.domain.boards import MAX_SCORE
from scoreboard.domain.events import EventKind
from scoreboard.domain.names import check_name
from scoreboard.domain.plain_text import check_id, check_reason, printable
from scoreboard.domain.standings import Player
from scoreboard.services.administer import Administration, reasons
from scoreboard.settings.catalog import load_catalog
from scoreboard.settings.config import read_settings

app = typer.Typer(
    help="Right a wrong, and look up who did what: beside running servers, straight in the database.",
    no_args_is_help=True,
)

T = TypeVar("T")

_DEFAULTS: Final = SuspicionThresholds()


def _id(text: str) -> str:
    return checked(check_id, text)


def _name(text: str) -> str:
    return checked(check_name, text)


def _reason(text: str) -> str:
    return checked(check_reason, text)


User = Annotated[str, typer.Argument(metavar="USER", help="The user id.", callback=_id)]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The name that boards show.", callback=_name)]
Board = Annotated[str, typer.Argument(metavar="BOARD", help="The board's id in the catalog.", callback=_id)]
Version = Annotated[
    int,
    typer.Argument(
        metavar="VERSION", help="The event: the board's version that it made.", min=1, max=MAX_SCORE
    ),
]
Reason = Annotated[str, typer.Option("--reason", "-r", help="Why: for the audit log.", callback=_reason)]
Actor = Annotated[str | None, typer.Option("--actor", help="Who does this [your login name].")]
Limit = Annotated[int, typer.Option(help="How many at most.", min=1, max=10_000)]


@app.command()
def players(
    search: Annotated[str, typer.Argument(help="The beginning of a user id, or a part of a name.")] = "",
    limit: Limit = 20,
) -> None:
    """Search players."""
    found = _ask(lambda service: service.players(search, limit))
    rows = [
        (
            printable(player.user_id),
            printable(player.name or ""),
            ", ".join(state for state, is_so in _states(player).items() if is_so),
            str(player.seq),
            ", ".join(
                f"{board} {s.score:,}" + ("" if s.listed else " (not listed)")
                for board, s in standings.items()
            ),
        )
        for player, standings in found
    ]
    _print(("user", "name", "", "submissions", "scores"), rows)


@app.command()
def history(user: User, limit: Limit = 50) -> None:
    """Show a player's newest events."""
    _print_records(_ask(lambda service: service.history(user, None, limit)))


@app.command()
def events(limit: Limit = 50) -> None:
    """Show the audit log: what administrators have corrected, newest first."""
    _print_records(_ask(lambda service: service.corrections(None, limit)))


@app.command()
def suspects(
    days: Annotated[float, typer.Option(help="How far back.", min=0.01, max=3_660)] = 7,
    an_hour: Annotated[
        int, typer.Option(help="Conspicuous: so many awards in one hour.", min=1)
    ] = _DEFAULTS.awards_an_hour,
    irregularity: Annotated[
        float,
        typer.Option(
            help="Conspicuous: intervals whose deviation is at most this part of their mean.", min=0
        ),
    ] = _DEFAULTS.irregularity,
    behind_address: Annotated[
        int, typer.Option(help="Conspicuous: so many players behind one address.", min=2)
    ] = _DEFAULTS.players_behind_address,
    limit: Limit = 50,
) -> None:
    """List who stands out, with the figures. It is for you to judge: nobody is punished by this."""
    thresholds = SuspicionThresholds(an_hour, irregularity, behind_address)
    found = _ask(lambda service: service.suspects(days, thresholds, limit))
    rows = [
        (
            printable(s.user_id),
            ", ".join(reasons(s, thresholds)),
            f"{s.points:,}",
            str(s.awards),
            str(s.most_an_hour),
            "" if s.interval_seconds is None else f"{s.interval_seconds:,.1f} s",
            "" if s.irregularity is None else f"{s.irregularity:.1%}",
            str(s.players_behind_address or ""),
        )
        for s in found
    ]
    _print(
        (
            "user",
            "stands out by",
            "points",
            "awards",
            "most an hour",
            "interval",
            "differs by",
            "behind address",
        ),
        rows,
    )


@app.command()
def ban(user: User, reason: Reason, actor: Actor = None) -> None:
    """Take a player off all boards. The score is kept, and nothing counts until the ban ends."""
    _correct(Correction(EventKind.BAN, _who(actor), reason, user_id=user))


@app.command()
def unban(user: User, reason: Reason, actor: Actor = None) -> None:
    """Put a player back, with all the score."""
    _correct(Correction(EventKind.UNBAN, _who(actor), reason, user_id=user))


@app.command()
def hide(user: User, reason: Reason, actor: Actor = None) -> None:
    """Hide a player from all boards, present and future. The player may still score. For staff and testers."""
    _correct(Correction(EventKind.HIDE, _who(actor), reason, user_id=user))


@app.command()
def show(user: User, reason: Reason, actor: Actor = None) -> None:
    """Undo hiding a player. A ban stays."""
    _correct(Correction(EventKind.SHOW, _who(actor), reason, user_id=user))


@app.command()
def rename(user: User, name: Name, reason: Reason, actor: Actor = None) -> None:
    """Set a player's name. Later submissions do not change it, until you release it.

    The old name is not kept anywhere: do not repeat it in the reason.
    """
    _correct(Correction(EventKind.RENAME, _who(actor), reason, user_id=user, name=name, keeps_name=True))


@app.command()
def clear_name(user: User, reason: Reason, actor: Actor = None) -> None:
    """Show a player's user id in place of the name, until you release it."""
    _correct(Correction(EventKind.RENAME, _who(actor), reason, user_id=user, keeps_name=True))


@app.command()
def release_name(user: User, reason: Reason, actor: Actor = None) -> None:
    """Let the player's submissions change the name again, after you have set or cleared it."""
    _correct(Correction(EventKind.RELEASE_NAME, _who(actor), reason, user_id=user))


@app.command()
def void(board: Board, version: Version, reason: Reason, actor: Actor = None) -> None:
    """Take the points of one event back. The ledger keeps it."""
    _correct(Correction(EventKind.VOID, _who(actor), reason, board=board, target_version=version))


@app.command()
def unvoid(board: Board, version: Version, reason: Reason, actor: Actor = None) -> None:
    """Undo a void."""
    _correct(Correction(EventKind.UNVOID, _who(actor), reason, board=board, target_version=version))


@app.command()
def void_since(
    user: User,
    since: Annotated[datetime, typer.Argument(help="In UTC.", formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"])],
    reason: Reason,
    actor: Actor = None,
) -> None:
    """Take all points back that a player got since a moment."""
    since_us = round(since.replace(tzinfo=UTC).timestamp() * 1_000_000)
    _correct(Correction(EventKind.VOID, _who(actor), reason, user_id=user, since_us=since_us))


@app.command(context_settings={"ignore_unknown_options": True})
def adjust(
    user: User,
    board: Board,
    points: Annotated[int, typer.Argument(metavar="POINTS", help="Such as 50, or -50.")],
    reason: Reason,
    actor: Actor = None,
    key: Annotated[
        str | None, typer.Option(help="Of this one adjustment: with the same key it counts once.")
    ] = None,
) -> None:
    """Give points to a player, or take some."""
    _correct(Correction(EventKind.ADJUST, _who(actor), reason, user_id=user, board=board, points=points), key)


@app.command()
def erase(
    user: User,
    reason: Reason,
    actor: Actor = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase who a player was, for good: id, name, and where its events came from. The sums of the ledger stay right.

    The reason stays in the audit log: do not name the player in it.
    """
    if not yes:
        typer.confirm(f"Nobody will ever know again who “{printable(user)}” was. Erase?", abort=True)
    _correct(Correction(EventKind.ERASE, _who(actor), reason, user_id=user))


def _states(player: Player) -> dict[str, bool]:
    return {"banned": player.is_banned, "hidden": player.is_hidden, "name kept": player.is_name_kept}


def _who(actor: str | None) -> str:
    return checked(check_id, getpass.getuser() if actor is None else actor)


def _ask(question: Callable[[Administration], Awaitable[T]]) -> T:
    settings = read_settings()
    catalog = load_catalog(settings.catalog)

    async def ask() -> T:
        async with open_administration(settings, catalog) as service:
            return await question(service)

    return asyncio.run(ask())


def _correct(correction: Correction, key: str | None = None) -> None:
    corrected = _ask(lambda service: service.correct(correction, key))
    if not corrected.events:
        typer.echo("Nothing to do: it is so already.")
    for board, version in corrected.versions.items():
        typer.echo(f"board {board}: corrected, now at version {version}")


def _print_records(records: Sequence[LedgerRecord]) -> None:
    rows = [
        (
            datetime.fromtimestamp(record.event.reading_us // 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S"),
            record.event.board,
            str(record.event.version),
            record.event.kind + (" (void)" if record.is_void else ""),
            "(erased)" if record.known_user_id is None else printable(record.known_user_id),
            record.event.action_id
            or ("" if record.event.target_version is None else f"of {record.event.target_version}"),
            f"{record.event.points:+,}" if record.event.points else "",
            f"{record.event.score:,}",
            printable(record.actor or ""),
            printable(record.reason or ""),
        )
        for record in records
    ]
    _print(("time (UTC)", "board", "version", "kind", "user", "of", "points", "score", "by", "reason"), rows)


WIDEST: Final = 10_000
"""In terminal cells: wider than any table."""


def _print(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table to a wide terminal, one line per field to a narrow one, and tab-separated lines to a pipe."""
    console = Console()
    if not console.is_terminal:
        for row in rows:
            typer.echo("\t".join(row))
        return
    if not rows:
        console.print("None.")
        return
    table = Table(*columns, box=SIMPLE_HEAD)
    for row in rows:
        table.add_row(*map(Text, row))
    # Rich cuts text to the width of its column, and measures only the text that fits.
    if console.measure(table, options=console.options.update_width(WIDEST)).minimum <= console.width:
        console.print(table)
        return
    for row in rows:
        console.print()
        for name, value in zip(columns, row, strict=True):
            if value:
                console.print(Text(f"{name}: {value}" if name else value, overflow="fold"))
