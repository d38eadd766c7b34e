"""The page in a real Chromium: time to a live board, transferred bytes, and long tasks."""

import asyncio
import threading
import time
from itertools import count
from statistics import median
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page

from benchmarks.options import Figures, OnTick, Options
from benchmarks.target import Target
from scoreboard.domain.submissions import Caller
from tests.browser.browsers import chromium
from tests.e2e.processes import Client

VISITS = 7
SLOWDOWN = 4
USERS = 12

FIRST_ROW = """
const look = () => {
  const row = document.querySelector("score-board")?.shadowRoot?.querySelector("tbody tr");
  const live = document.querySelector("score-board")?.shadowRoot?.querySelector('[data-state="live"]');
  if (row && live) window.firstBoardMs = performance.now();
  else requestAnimationFrame(look);
};
requestAnimationFrame(look);
window.longTasks = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) longTasks.push(entry.duration);
}).observe({ type: "longtask", buffered: true });
"""

WEIGHT = """
[...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
  .reduce((sum, entry) => sum + entry.transferSize, 0)
"""


async def page(options: Options, on_tick: OnTick) -> Figures:
    """Time to a live board, transferred bytes, and the longest task at 10 changes a second on a slow CPU."""
    return await asyncio.to_thread(_page, options, on_tick)


def _page(options: Options, on_tick: OnTick) -> Figures:
    with Target() as target, Client(target.url) as client, chromium() as browser:
        users = [f"user-{number}" for number in range(USERS)]
        tokens = {user: target.tokens.sign(Caller(user), 86_400) for user in users}
        for user, token in tokens.items():
            client.score(user, "complete-quest", by=token)
        first, weights = [], []
        for visit in range(VISITS):
            shown = _visit(browser, target.url)
            first.append(_until(shown, "window.firstBoardMs"))
            weights.append(shown.evaluate(WEIGHT))
            shown.context.close()
            on_tick(0.4 * (visit + 1) / VISITS)
        slow = _visit(browser, target.url)
        _until(slow, "window.firstBoardMs")
        session: CDPSession = slow.context.new_cdp_session(slow)
        session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWDOWN})
        slow.evaluate("window.longTasks = []")
        stop = threading.Event()

        def change() -> None:
            for turn in count():
                if stop.wait(0.1):
                    break
                user = users[turn * 5 % USERS]
                client.score(user, "complete-quest", by=tokens[user])

        changing = threading.Thread(target=change)
        changing.start()
        slow.wait_for_timeout(1_000 * options.seconds)
        stop.set()
        changing.join()
        tasks = slow.evaluate("window.longTasks")
        on_tick(1)
        return {
            "first_board_ms": median(first),
            "kilobytes": max(weights) / 1_000,
            "long_tasks": len(tasks),
            "longest_task_ms": max(tasks, default=0.0),
        }


def _visit(browser: Browser, url: str) -> Page:
    """Open the page in a new browser context, which has no cache and shares no stream."""
    shown = browser.new_context().new_page()
    shown.add_init_script(FIRST_ROW)
    shown.goto(url)
    return shown


def _until(shown: Page, expression: str, seconds: float = 30) -> Any:
    """Return the first truthy value of an expression. (The page's policy forbids `wait_for_function`.)"""
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        value = shown.evaluate(expression)
        if value:
            return value
        shown.wait_for_timeout(10)
    raise TimeoutError(f"{expression} did not become true")
