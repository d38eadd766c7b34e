"""A board as bytes: encoded once, sent to everybody.

Server-Sent Events: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Final

from scoreboard.model import Entry, Snapshot

HEARTBEAT: Final = b":\n\n"
"""A comment: it keeps proxies from closing a silent stream, and clients ignore it."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Frame:
    """A snapshot as JSON (`body`), as an event of a stream, and its entity tag (RFC 9110, section 8.8.3).

    It is stale where nobody can be asked for a newer one: neither the ranking nor the store.
    """

    snapshot: Snapshot
    is_stale: bool
    body: bytes
    event: bytes
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
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    return Frame(
        snapshot=snapshot,
        is_stale=is_stale,
        body=body,
        event=b"id: %d\nevent: leaderboard\ndata: %b\n\n" % (snapshot.version, body),
        etag=f'"{blake2b(body, digest_size=12).hexdigest()}"',
    )


def _entry(entry: Entry) -> dict[str, object]:
    return {
        "rank": entry.rank,
        "userId": entry.user_id,
        "name": entry.user_id if entry.name is None else entry.name,
        "score": entry.score,
        "reachedAt": timestamp(entry.reached_at_us),
    }


def timestamp(at_us: int) -> str:
    """A time as RFC 3339 writes it, in UTC, to the microsecond."""
    return (_EPOCH + timedelta(microseconds=at_us)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def retry(milliseconds: int) -> bytes:
    """Tell a client how long to wait before it connects again."""
    return b"retry: %d\n\n" % milliseconds
