"""One call for many who want the same."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Coalesced(Generic[T]):
    """A function of which those calls that begin while one is under way share the next one.

    So each gets what was found after it had asked, and there are never more than two at a time, one of them waiting.
    """

    def __init__(self, call: Callable[[], Coroutine[Any, Any, T]]) -> None:
        self._call = call
        self._next: asyncio.Task[T] | None = None
        self._one_at_a_time = asyncio.Lock()

    async def __call__(self) -> T:
        if self._next is None:
            self._next = asyncio.create_task(self._run())
        # Who gives up waiting does not end it for the others.
        return await asyncio.shield(self._next)

    async def _run(self) -> T:
        async with self._one_at_a_time:
            self._next = None
            return await self._call()
