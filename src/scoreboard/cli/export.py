"""`scoreboard export`"""

import asyncio
import json
import re
from datetime import UTC, datetime
from typing import Annotated, Final

import typer

from scoreboard.app import make_store
from scoreboard.cli.arguments import Board
from scoreboard.cli.progress import progress_bars
from scoreboard.domain.administration import LedgerRecord
from scoreboard.domain.boards import MAX_SCORE
from scoreboard.settings.catalog import load_catalog
from scoreboard.settings.config import Settings, read_settings

PAGE_SIZE: Final = 2_000

LINE_ENDS: Final = re.compile("[\x7f-\x9f\u2028\u2029]")
"""Line ends and control characters of Unicode that JSON does not escape."""


def export(
    board: Board = None,
    after: Annotated[
        int, typer.Option(help="Export only the events after this version.", min=0, max=MAX_SCORE)
    ] = 0,
) -> None:
    """Write a board's ledger to standard output: a line of JSON for each event, in order.

    Servers may run meanwhile. The events come from the replica if SCOREBOARD_DATABASE_READ_URL is set. To
    continue later, pass the last version to --after. The userId of an erased player is null.
    """
    settings = read_settings()
    catalog = load_catalog(settings.catalog)
    asyncio.run(_export(settings, catalog.board(board).id, after))


async def _export(settings: Settings, board: str, version: int) -> None:
    async with make_store(settings) as store:
        head = (await store.heads()).get(board)
        # Later events are not exported: on a busy board there would be no end.
        end = 0 if head is None else head.version
        with progress_bars() as progress:
            task = progress.add_task(board, total=end, completed=version)
            while version < end and (
                records := await store.ledger(board, version, min(PAGE_SIZE, end - version))
            ):
                for record in records:
                    typer.echo(_line(record))
                version = records[-1].event.version
                progress.update(task, completed=version)


def _line(record: LedgerRecord) -> str:
    text = json.dumps(_shown(record), ensure_ascii=False, separators=(",", ":"))
    # Some readers end a line at these characters. JSON has them only in strings, where they may be escaped.
    return LINE_ENDS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _shown(record: LedgerRecord) -> dict[str, object]:
    """Return the fields of an event. Only awards of boards with columns have `columns`, and only rollovers
    have `period` and `boundary`.
    """
    event = record.event
    shown = {
        "board": event.board,
        "version": event.version,
        "eventId": str(event.event_id),
        "at": _time(event.reading_us),
        "kind": event.kind.value,
        "userId": record.known_user_id,
        "actionId": event.action_id,
        "points": event.points,
        "score": event.score,
        "void": record.is_void,
        "of": event.target_version,
        "by": record.actor,
        "reason": record.reason,
    }
    if event.columns:
        shown["columns"] = event.columns
    if event.period is not None:
        shown["period"] = event.period
    if event.boundary_us is not None:
        shown["boundary"] = _time(event.boundary_us)
    return shown


def _time(us: int) -> str:
    return datetime.fromtimestamp(us / 1_000_000, UTC).isoformat(timespec="milliseconds")
