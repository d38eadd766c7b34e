"""The recording is correct, whatever a server or a network does to a client."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from uuid import UUID

import pytest

from scoreboard.domain.standings import Entry, Snapshot
from tests.clocks import START_US
from tests.history.clients import Plan
from tests.history.recording import recording
from tests.history.records import NOT_CONNECTED, Acknowledged, Refused, Unknown
from tests.servers.process import free_port

QUIET = Plan(clients=0, boards=(), timeout_seconds=0.2)
"""A load of only the test's own submissions."""

ANSWER = {
    "eventId": str(UUID(int=7)),
    "board": "main",
    "userId": "ada",
    "actionId": "quest",
    "points": 50,
    "score": 150,
    "rank": None,
    "version": 42,
}

BOARD = {
    "board": "main",
    "version": 42,
    "updatedAt": "2026-11-18T11:06:40.000001Z",
    "players": 1,
    "entries": [
        {
            "rank": 1,
            "userId": "ada",
            "name": "Ada ☀",
            "score": 150,
            "reachedAt": "2026-11-18T11:06:40.000000Z",
        }
    ],
}

EVENT = f"id: 42\nevent: leaderboard\ndata: {json.dumps(BOARD, ensure_ascii=False)}\n\n".encode()


def http(status: int, document: object, kind: str = "application/json", *headers: str) -> bytes:
    body = json.dumps(document).encode()
    lines = [f"HTTP/1.1 {status} X", f"content-type: {kind}", f"content-length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def problem(status: int, code: str) -> bytes:
    return http(status, {"code": code}, "application/problem+json")


def chunked(*parts: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    return head + b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)


@asynccontextmanager
async def answering(*answers: bytes | None) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Run a server that gives these answers, one for each request, and then no answer. None is silence. Yield
    its requests too.

    Its board is always the same.
    """
    left = list(answers)
    asked: list[bytes] = []
    over = asyncio.Event()
    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer), suppress(EOFError):
            head = await reader.readuntil(b"\r\n\r\n")
            if head.startswith(b"GET /api/leaderboard?"):
                writer.write(http(200, BOARD))
                return
            asked.append(head.lower())
            answer = left.pop(0) if left else None
            if answer is None:
                await over.wait()
            else:
                writer.write(answer)

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.create_task(serve(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked
    finally:
        over.set()
        server.close()
        await asyncio.gather(*serving)


async def test_a_key_is_tried_again_until_it_is_known_what_came_of_it() -> None:
    whole = http(201, ANSWER, "application/json", "idempotent-replayed: true")
    answers = (
        problem(503, "outcome_unknown"),
        problem(503, "store_unavailable"),
        http(502, "a proxy", "text/html"),
        b"",
        whole[:-5],
        None,
        whole,
    )
    async with answering(*answers) as (url, asked), recording([url], lambda _: "token", QUIET) as load:
        outcome = await load.submit("ada", "quest", "a key")
        outcomes = [attempt.outcome for attempt in load.history.attempts]
    assert outcome == outcomes[-1]
    assert outcome == Acknowledged(UUID(int=7), "main", "ada", "quest", 50, 150, None, 42, replayed=True)
    unknown, refused, *lost = outcomes[:-1]
    assert unknown == Unknown("outcome_unknown")
    assert refused == Refused(503, "store_unavailable")
    assert [type(outcome) for outcome in lost] == [Unknown] * 4
    assert all(b"\r\nidempotency-key: a key\r\n" in head for head in asked)


@pytest.mark.parametrize("answer", [b"", problem(503, "store_unavailable"), problem(503, "outcome_unknown")])
async def test_without_a_key_nothing_is_tried_again(answer: bytes) -> None:
    async with answering(answer) as (url, asked), recording([url], lambda _: "token", QUIET) as load:
        assert not isinstance(await load.submit("ada", "quest"), Acknowledged)
    assert b"idempotency-key" not in asked[0]
    assert len(load.history.attempts) == 1


async def test_what_is_refused_for_good_is_not_tried_again() -> None:
    async with (
        answering(problem(429, "rate_limited")) as (url, _),
        recording([url], lambda _: "token", QUIET) as load,
    ):
        assert await load.submit("ada", "quest", "a key") == Refused(429, "rate_limited")


async def test_where_nobody_listens_nothing_was_sent() -> None:
    async with recording([f"http://127.0.0.1:{free_port()}"], lambda _: "token", QUIET) as load:
        assert await load.submit("ada", "quest") == Refused(0, NOT_CONNECTED)


async def test_what_is_under_way_at_the_end_is_recorded_as_unknown() -> None:
    async with answering(None) as (url, _), recording([url], lambda _: "token", QUIET) as load:
        sending = asyncio.create_task(load.submit("ada", "quest"))
        await asyncio.sleep(0)
        sending.cancel()
        await asyncio.wait([sending])
    (attempt,) = load.history.attempts
    assert isinstance(attempt.outcome, Unknown)


async def test_a_watcher_takes_whole_frames_only_and_comes_back_with_the_last_version() -> None:
    retry = b"retry: 2000\n"
    streams = (
        chunked(retry, EVENT[:60], EVENT[60:], b":\n", EVENT[:-1]),
        b"HTTP/1.1 200 OK\r\n\r\n" + EVENT + EVENT,
        None,
    )
    plan = Plan(clients=0, boards=("main",), rotating=0)
    async with answering(*streams) as (url, asked), recording([url], lambda _: "token", plan) as load:
        await load.more_shown(3)
        frames = load.history.frames
    entry = Entry(1, "ada", None, 150, START_US)
    snapshot = Snapshot("main", 42, START_US + 1, 1, (entry,))
    assert [frame.snapshot for frame in frames] == [snapshot] * 3
    assert [read.snapshot for read in load.history.finals] == [snapshot]
    assert b"last-event-id" not in asked[0]
    assert b"\r\nlast-event-id: 42\r\n" in asked[1]


async def test_what_a_test_raises_is_seen_as_what_it_is() -> None:
    with pytest.raises(AssertionError, match="the test's own"):
        async with recording([f"http://127.0.0.1:{free_port()}"], lambda _: "token", QUIET):
            raise AssertionError("the test's own")


async def test_who_waits_in_vain_is_told_the_last_answers() -> None:
    async with (
        answering(problem(429, "rate_limited")) as (url, _),
        recording([url], lambda _: "token", QUIET) as load,
    ):
        await load.submit("ada", "quest", "a key")
        with pytest.raises(TimeoutError, match="rate_limited"):
            await load.more_acknowledged(1, within_seconds=0.0)
