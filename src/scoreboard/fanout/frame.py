"""A board as bytes: encoded once, sent to everybody.

Server-Sent Events: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Final

from scoreboard.domain.names import display_name
from scoreboard.domain.standings import Entry, Snapshot

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Message:
    """A part of a stream, encoded once for everybody: as it is, and as a chunk of HTTP/1.1 (RFC 9112, section 7.1)."""

    plain: bytes
    chunked: bytes


def message(text: bytes) -> Message:
    return Message(text, b"%x\r\n%b\r\n" % (len(text), text))


HEARTBEAT: Final = message(b":\n")
"""A comment line that keeps proxies from closing an idle stream.

Only events end with an empty line: many clients treat any empty line as an event, and fail without its data.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A snapshot as JSON (`body`), as an event of a stream, and its entity tag (RFC 9110, section 8.8.3).

    It is stale where nobody can be asked for a newer one: neither the ranking nor the store. A frame equals itself
    alone: after a restored backup two boards may have the same version, and not the same rows.
    """

    snapshot: Snapshot
    is_stale: bool
    body: bytes
    event: Message
    etag: str


def encode(snapshot: Snapshot, *, is_stale: bool = False) -> Frame:
    """The one encoding of a board: `GET /api/leaderboard` and the stream answer with the same bytes."""
    document: dict[str, object] = {
        "board": snapshot.board,
        "version": snapshot.version,
        "updatedAt": timestamp(snapshot.at_us) if snapshot.version else None,
        "players": snapshot.players,
        "entries": [_entry(entry) for entry in snapshot.entries],
    }
    if is_stale:
        document["stale"] = True
    body = _json(document)
    return Frame(
        snapshot=snapshot,
        is_stale=is_stale,
        body=body,
        event=_event(b"leaderboard", snapshot.version, body),
        etag=f'"{blake2b(body, digest_size=12).hexdigest()}"',
    )


def patch(before: Frame, after: Frame) -> Message | None:
    """What leads from one frame to a later one, for somebody who has the first; None where a whole frame is as good.

    `entries` are the rows that are new, or have changed otherwise than by making room, in the order of their ranks;
    `gone` are the users whose rows are no longer there. All others keep their order (where they do not, as may be after
    a restored backup, there is no patch). So whoever takes both kinds out, puts the entries in at their ranks and
    counts the ranks anew has the later frame's rows.
    """
    if before.is_stale or after.is_stale or before.snapshot.board != after.snapshot.board:
        return None
    known = {entry.user_id: _shown(entry) for entry in before.snapshot.entries}
    entries = [entry for entry in after.snapshot.entries if known.get(entry.user_id) != _shown(entry)]
    replaced = {entry.user_id for entry in entries}
    there = [entry.user_id for entry in after.snapshot.entries]
    if [user_id for user_id in known if user_id in there and user_id not in replaced] != [
        user_id for user_id in there if user_id not in replaced
    ]:
        return None
    document: dict[str, object] = {
        "board": after.snapshot.board,
        "after": before.snapshot.version,
        "version": after.snapshot.version,
        "updatedAt": timestamp(after.snapshot.at_us),
        "players": after.snapshot.players,
        "entries": [_entry(entry) for entry in entries],
    }
    if gone := [user_id for user_id in known if user_id not in there]:
        document["gone"] = gone
    body = _json(document)
    return _event(b"patch", after.snapshot.version, body) if 2 * len(body) < len(after.body) else None


def _shown(entry: Entry) -> tuple[str | None, int, int]:
    """All that is shown of a row but its rank."""
    return (entry.name, entry.score, entry.reached_at_us)


def _event(kind: bytes, version: int, body: bytes) -> Message:
    return message(b"id: %d\nevent: %b\ndata: %b\n\n" % (version, kind, body))


def _json(document: dict[str, object]) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _entry(entry: Entry) -> dict[str, object]:
    return {
        "rank": entry.rank,
        "userId": entry.user_id,
        "name": display_name(entry.name, entry.user_id),
        "score": entry.score,
        "reachedAt": timestamp(entry.reached_at_us),
    }


def timestamp(at_us: int) -> str:
    """A time as RFC 3339 writes it, in UTC, to the microsecond."""
    return (_EPOCH + timedelta(microseconds=at_us)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def retry(milliseconds: int) -> Message:
    """Tell a client how long to wait before it connects again.

    A client applies the line when it reads it. The line becomes part of the next event, if there is one.
    """
    return message(b"retry: %d\n" % milliseconds)
