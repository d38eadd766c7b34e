"""The commands that correct players and events."""

import getpass
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from scoreboard.cli.admin.arguments import Actor, Board, Name, Reason, Version, with_administration
from scoreboard.cli.arguments import User
from scoreboard.domain.administration import Correction
from scoreboard.domain.events import EventKind
from scoreboard.domain.plain_text import check_id, printable


def ban(user: User, reason: Reason, actor: Actor = None) -> None:
    """Remove a player from all boards. The score is kept. Submissions are refused until the ban ends."""
    _correct(EventKind.BAN, reason, actor, user_id=user)


def unban(user: User, reason: Reason, actor: Actor = None) -> None:
    """End a ban. The player is on the boards again, with the whole score."""
    _correct(EventKind.UNBAN, reason, actor, user_id=user)


def hide(user: User, reason: Reason, actor: Actor = None) -> None:
    """Hide a player from all boards, present and future (staff, testers). The player may still score."""
    _correct(EventKind.HIDE, reason, actor, user_id=user)


def show(user: User, reason: Reason, actor: Actor = None) -> None:
    """Undo hiding a player. A ban stays."""
    _correct(EventKind.SHOW, reason, actor, user_id=user)


def rename(user: User, name: Name, reason: Reason, actor: Actor = None) -> None:
    """Set a player's name. Later submissions do not change it, until you release it.

    The old name is not kept anywhere: do not repeat it in the reason.
    """
    _correct(EventKind.RENAME, reason, actor, user_id=user, name=name, keeps_name=True)


def clear_name(user: User, reason: Reason, actor: Actor = None) -> None:
    """Show a player's user id in place of the name, until you release it."""
    _correct(EventKind.RENAME, reason, actor, user_id=user, keeps_name=True)


def release_name(user: User, reason: Reason, actor: Actor = None) -> None:
    """Let the player's submissions change the name again, after you have set or cleared it."""
    _correct(EventKind.RELEASE_NAME, reason, actor, user_id=user)


def void(board: Board, version: Version, reason: Reason, actor: Actor = None) -> None:
    """Take the points of one event back. The event stays in the ledger."""
    _correct(EventKind.VOID, reason, actor, board=board, target_version=version)


def unvoid(board: Board, version: Version, reason: Reason, actor: Actor = None) -> None:
    """Undo a void."""
    _correct(EventKind.UNVOID, reason, actor, board=board, target_version=version)


def void_since(
    user: User,
    since: Annotated[
        datetime, typer.Argument(help="The time, in UTC.", formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"])
    ],
    reason: Reason,
    actor: Actor = None,
) -> None:
    """Take all points back that a player got since a time."""
    since_us = round(since.replace(tzinfo=UTC).timestamp() * 1_000_000)
    _correct(EventKind.VOID, reason, actor, user_id=user, since_us=since_us)


def adjust(
    user: User,
    board: Board,
    points: Annotated[int, typer.Argument(metavar="POINTS", help="Such as 50, or -50.")],
    reason: Reason,
    actor: Actor = None,
    key: Annotated[
        str | None, typer.Option(help="An idempotency key: with the same key, the adjustment counts once.")
    ] = None,
) -> None:
    """Give points to a player, or take some."""
    _correct(EventKind.ADJUST, reason, actor, key, user_id=user, board=board, points=points)


def erase(
    user: User,
    reason: Reason,
    actor: Actor = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase a player's identity permanently: user id, name, and the provenance of the events.

    The scores stay. The reason stays in the audit log: do not name the player in it.
    """
    if not yes:
        typer.confirm(f"Erase the identity of “{printable(user)}”? This cannot be undone.", abort=True)
    _correct(EventKind.ERASE, reason, actor, user_id=user)


def _correct(kind: EventKind, reason: str, actor: str | None, key: str | None = None, **target: Any) -> None:
    correction = Correction(kind, actor or check_id(getpass.getuser()), reason, **target)
    corrected = with_administration(lambda administration: administration.correct(correction, key))
    if not corrected.events:
        typer.echo("Nothing to do: it is so already.")
    for board, version in corrected.versions.items():
        typer.echo(f"board {board}: corrected, now at version {version}")
