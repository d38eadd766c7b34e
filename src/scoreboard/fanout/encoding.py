"""Encoding of boards as JSON and as Server-Sent Events. A state is encoded once and sent to all subscribers.

Server-Sent Events: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Final

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.names import display_name
from scoreboard.domain.standings import Entry, Snapshot

_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001  # In UTC, of which `timestamp` writes the suffix.


@dataclass(frozen=True, slots=True)
class Message:
    """Bytes of a stream: as they are, and as a chunk of HTTP/1.1 (RFC 9112, section 7.1)."""

    plain: bytes
    chunked: bytes


def message(text: bytes) -> Message:
    return Message(text, b"%x\r\n%b\r\n" % (len(text), text))


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A snapshot, encoded as JSON (`body`) and as an event, with its entity tag (RFC 9110, section 8.8.3).

    `is_stale` is true if neither the ranking nor the store could be read. Frames compare by identity: after a
    backup is restored, two boards may have the same version and different rows.
    """

    snapshot: Snapshot
    is_stale: bool
    body: bytes
    event: Message
    etag: str
    columns: Sequence[str] = ()
    """The ids of the board's columns."""


def encode_board(snapshot: Snapshot, columns: Sequence[str] = (), *, is_stale: bool = False) -> Frame:
    """Encode a board. `GET /api/leaderboard` and streams send the same bytes."""
    document = board_document(snapshot, columns)
    if is_stale:
        document["stale"] = True
    body = encode_json(document)
    return Frame(
        snapshot=snapshot,
        is_stale=is_stale,
        body=body,
        event=_event(b"leaderboard", snapshot.version, body),
        etag=entity_tag(body),
        columns=columns,
    )


def board_document(snapshot: Snapshot, columns: Sequence[str]) -> dict[str, object]:
    """Return a board as JSON values. Only standings that restart have a `period`."""
    return {
        **_board_and_period(snapshot),
        "version": snapshot.version,
        "updatedAt": timestamp(snapshot.reading_us) if snapshot.version else None,
        "players": snapshot.players,
        "entries": [entry_document(entry, columns) for entry in snapshot.entries],
    }


def _board_and_period(snapshot: Snapshot) -> dict[str, object]:
    if snapshot.period == ALL_TIME:
        return {"board": snapshot.board}
    return {"board": snapshot.board, "period": snapshot.period}


def encode_patch(before: Frame, after: Frame) -> Message | None:
    """Encode the difference between two frames, or return None if the whole frame must or should be sent.

    `entries` are the rows that are new or changed in more than their rank, in the order of their ranks.
    `gone` are the users whose rows were removed. All other rows keep their order, or there is no patch (a
    restored backup may reorder them). A client removes the rows of both kinds, inserts `entries` at their
    ranks and numbers all rows again. If several rows share a rank, the client inserts `entries` at the
    `indexes` instead, and all rows have the `ranks` of the patch.
    """
    old, new = before.snapshot, after.snapshot
    if before.is_stale or after.is_stale or (old.board, old.period) != (new.board, new.period):
        return None
    known = {entry.user_id: _without_rank(entry) for entry in before.snapshot.entries}
    entries = [entry for entry in after.snapshot.entries if known.get(entry.user_id) != _without_rank(entry)]
    replaced = {entry.user_id for entry in entries}
    current = [entry.user_id for entry in after.snapshot.entries]
    if [user_id for user_id in known if user_id in current and user_id not in replaced] != [
        user_id for user_id in current if user_id not in replaced
    ]:
        return None
    document: dict[str, object] = {
        **_board_and_period(new),
        "after": before.snapshot.version,
        "version": after.snapshot.version,
        "updatedAt": timestamp(after.snapshot.reading_us),
        "players": after.snapshot.players,
        "entries": [entry_document(entry, after.columns) for entry in entries],
    }
    ranks = [entry.rank for entry in after.snapshot.entries]
    if ranks != list(range(1, len(ranks) + 1)):
        document["ranks"] = ranks
        document["indexes"] = [current.index(entry.user_id) for entry in entries]
    if gone := [user_id for user_id in known if user_id not in current]:
        document["gone"] = gone
    body = encode_json(document)
    return _event(b"patch", after.snapshot.version, body) if 2 * len(body) < len(after.body) else None


def encode_retry(milliseconds: int) -> Message:
    """Encode the time after which a client reconnects.

    A client applies the line when it reads it. The line becomes part of the next event, if there is one.
    """
    return message(b"retry: %d\n" % milliseconds)


def timestamp(at_us: int) -> str:
    """Return a time in the format of RFC 3339, in UTC, with microseconds."""
    return f"{(_EPOCH + timedelta(microseconds=at_us)).isoformat(timespec='microseconds')}Z"


def entity_tag(body: bytes) -> str:
    """Return the entity tag of a response (RFC 9110, section 8.8.3)."""
    return f'"{blake2b(body, digest_size=12).hexdigest()}"'


def _without_rank(entry: Entry) -> tuple[str | None, int, int, tuple[int, ...]]:
    return (entry.name, entry.score, entry.reached_at_us, entry.columns)


def _event(kind: bytes, version: int, body: bytes) -> Message:
    return message(b"id: %d\nevent: %b\ndata: %b\n\n" % (version, kind, body))


def encode_json(document: dict[str, object]) -> bytes:
    """Return the bytes of a JSON object, on one line."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    # Clients that split a stream with `str.splitlines` would cut the event at these characters of an id.
    return text.replace("\u2028", r"\u2028").replace("\u2029", r"\u2029").encode()


def entry_document(entry: Entry, columns: Sequence[str]) -> dict[str, object]:
    """Return a row as JSON values. The rows of boards with columns have them by their ids."""
    document: dict[str, object] = {
        "rank": entry.rank,
        "userId": entry.user_id,
        "name": display_name(entry.name, entry.user_id),
        "score": entry.score,
        "reachedAt": timestamp(entry.reached_at_us),
    }
    if columns:
        document["columns"] = dict(zip(columns, entry.columns, strict=True))
    return document
