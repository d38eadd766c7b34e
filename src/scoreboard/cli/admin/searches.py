"""The commands that search players, events and suspects."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Final

import typer

from scoreboard.cli.admin.arguments import Limit, with_administration
from scoreboard.cli.admin.tables import print_table
from scoreboard.cli.arguments import User
from scoreboard.domain.administration import LedgerRecord, SuspicionThresholds
from scoreboard.domain.plain_text import printable
from scoreboard.domain.standings import Player
from scoreboard.services.administer import reasons

_DEFAULTS: Final = SuspicionThresholds()


def players(
    search: Annotated[str, typer.Argument(help="The beginning of a user id, or a part of a name.")] = "",
    limit: Limit = 20,
) -> None:
    """Search players."""
    found = with_administration(lambda administration: administration.players(search, limit))
    rows = [
        (
            printable(player.user_id),
            printable(player.name or ""),
            ", ".join(_states(player)),
            str(player.seq),
            ", ".join(
                f"{board} {s.score:,}" + ("" if s.listed else " (not listed)")
                for board, s in standings.items()
            ),
        )
        for player, standings in found
    ]
    print_table(("user", "name", "", "submissions", "scores"), rows)


def history(user: User, limit: Limit = 50) -> None:
    """Show a player's newest events."""
    _print_records(with_administration(lambda administration: administration.history(user, None, limit)))


def events(limit: Limit = 50) -> None:
    """Show the audit log: the corrections of administrators, newest first."""
    _print_records(with_administration(lambda administration: administration.corrections(None, limit)))


def suspects(
    days: Annotated[float, typer.Option(help="The number of days to look back.", min=0.01, max=3_660)] = 7,
    an_hour: Annotated[
        int, typer.Option(help="Suspicious from this number of awards in one hour.", min=1)
    ] = _DEFAULTS.awards_an_hour,
    irregularity: Annotated[
        float,
        typer.Option(
            help="Suspicious up to this standard deviation of intervals, divided by their mean.", min=0
        ),
    ] = _DEFAULTS.irregularity,
    behind_address: Annotated[
        int, typer.Option(help="Suspicious from this number of players behind one address.", min=2)
    ] = _DEFAULTS.players_behind_address,
    limit: Limit = 50,
) -> None:
    """List players with suspicious figures. The server does nothing about them: judge for yourself."""
    thresholds = SuspicionThresholds(an_hour, irregularity, behind_address)
    found = with_administration(lambda administration: administration.suspects(days, thresholds, limit))
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
    columns = ("user", "suspicious by", "points", "awards", "most an hour", "interval", "differs by")
    print_table((*columns, "behind address"), rows)


def _states(player: Player) -> list[str]:
    states = {"banned": player.is_banned, "hidden": player.is_hidden, "name kept": player.is_name_kept}
    return [state for state, is_so in states.items() if is_so]


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
    columns = ("time (UTC)", "board", "version", "kind", "user", "of", "points", "score", "by", "reason")
    print_table(columns, rows)
