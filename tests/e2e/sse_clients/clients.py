"""Follows a stream with a client from PyPI, the way its documentation shows: python clients.py CLIENT URL.

Prints the version of each board. It reads every event as JSON, so an event without data ends it with an
error.
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping

import aiohttp
import aiosseclient as aio
import httpx
import ld_eventsource
import requests
import sseclient
from aiohttp_sse_client2.client import EventSource
from httpx_sse import connect_sse
from ld_eventsource.config import ErrorStrategy

PAUSE_SECONDS = 0.05
"""Of the clients that leave coming back to the program."""


def httpx_sse(url: str) -> Iterator[str]:
    with httpx.Client(timeout=None) as client, connect_sse(client, "GET", url) as source:
        for event in source.iter_sse():
            yield event.data


def sseclient_py(url: str) -> Iterator[str]:
    with requests.get(
        url, stream=True, headers={"Accept": "text/event-stream"}, timeout=(5, None)
    ) as response:
        for event in sseclient.SSEClient(response.iter_content(chunk_size=None)).events():
            yield event.data


def launchdarkly_eventsource(url: str) -> Iterator[str]:
    # Without the strategy it stops at the end of a stream.
    for event in ld_eventsource.SSEClient(url, error_strategy=ErrorStrategy.always_continue()).events:
        yield event.data


async def aiohttp_sse_client2(url: str) -> AsyncIterator[str]:
    async with EventSource(url, timeout=aiohttp.ClientTimeout(total=None)) as source:
        async for event in source:
            yield event.data


async def aiosseclient(url: str) -> AsyncIterator[str]:
    async for event in aio.aiosseclient(url):
        yield event.data


CLIENTS: Mapping[str, Callable[[str], Iterator[str] | AsyncIterator[str]]] = {
    "httpx-sse": httpx_sse,
    "sseclient-py": sseclient_py,
    "launchdarkly-eventsource": launchdarkly_eventsource,
    "aiohttp-sse-client2": aiohttp_sse_client2,
    "aiosseclient": aiosseclient,
}


def show(data: str) -> None:
    print(json.loads(data)["version"], flush=True)


async def follow(events: AsyncIterator[str]) -> None:
    async for data in events:
        show(data)


def main(name: str, url: str) -> None:
    while True:
        events = CLIENTS[name](url)
        if isinstance(events, AsyncIterator):
            asyncio.run(follow(events))
        else:
            for data in events:
                show(data)
        time.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    main(*sys.argv[1:])
