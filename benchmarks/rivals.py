"""`python -m benchmarks.rivals NAME PORT BYTES`: the same stream with FastAPI, as each library documents it.

Each client has a queue, and a generator that reads it. The event is a prepared text, so encoding is not
compared.
"""

import asyncio
import sys
from collections.abc import AsyncIterable, AsyncIterator

import uvicorn
from fastapi import FastAPI
from fastapi.sse import EventSourceResponse as FastApiEventSourceResponse
from fastapi.sse import ServerSentEvent
from sse_starlette import EventSourceResponse

ENVELOPE_BYTES = len("id: 1\nevent: leaderboard\ndata: \n\n")


class Board:
    """The event and the queues of the clients."""

    def __init__(self, event_bytes: int) -> None:
        self.text = "x" * (event_bytes - ENVELOPE_BYTES)
        self.queues: set[asyncio.Queue[int]] = set()

    async def versions(self) -> AsyncIterator[int]:
        """Yield a first version at once, then each new one."""
        queue: asyncio.Queue[int] = asyncio.Queue()
        self.queues.add(queue)
        try:
            yield 0
            while True:
                yield await queue.get()
        finally:
            self.queues.discard(queue)

    def publish(self, version: int) -> None:
        for queue in self.queues:
            queue.put_nowait(version)


def with_sse_starlette(board: Board) -> FastAPI:
    app = _application(board)

    @app.get("/stream")
    async def stream() -> EventSourceResponse:
        async def events() -> AsyncIterator[dict[str, str]]:
            async for version in board.versions():
                yield {"id": str(version), "event": "leaderboard", "data": board.text}

        return EventSourceResponse(events(), sep="\n")

    return app


def with_fastapi(board: Board) -> FastAPI:
    app = _application(board)

    @app.get("/stream", response_class=FastApiEventSourceResponse)
    async def stream() -> AsyncIterable[ServerSentEvent]:
        async for version in board.versions():
            yield ServerSentEvent(id=str(version), event="leaderboard", raw_data=board.text)

    return app


def _application(board: Board) -> FastAPI:
    app = FastAPI()

    @app.post("/publish/{version}")
    async def publish(version: int) -> None:
        board.publish(version)

    return app


RIVALS = {"sse-starlette": with_sse_starlette, "fastapi": with_fastapi}

if __name__ == "__main__":
    name, port, event_bytes = sys.argv[1:]
    application = RIVALS[name](Board(int(event_bytes)))
    uvicorn.run(
        application,
        host="127.0.0.1",
        port=int(port),
        loop="uvloop",
        http="httptools",
        log_level="warning",
        backlog=4096,
    )
