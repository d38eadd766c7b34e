"""A real Chromium, and what every page must keep: no error, no request to another host, no breach of its own policy."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from tests.e2e.missing import go_without

HELP = (
    "The tests of the page need Chromium: on Debian, apt-get install chromium; elsewhere, .venv/bin/playwright install "
    "chromium; or name one in SCOREBOARD_TEST_CHROMIUM."
)

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

REPORT_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) => {
  console.error(`policy violated: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`);
});
"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """The machine's Chromium, else Playwright's own. Where none runs, a laptop skips, and CI fails."""
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
        found = [os.environ.get("SCOREBOARD_TEST_CHROMIUM"), *map(shutil.which, NAMES), own]
        path = next((path for path in found if path and shutil.which(path)), None)
        if path is None:
            go_without(HELP)
        try:
            # A browser looks things up at home when it starts: here it finds nobody but this machine.
            browser = playwright.chromium.launch(
                executable_path=path, args=["--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"]
            )
        except PlaywrightError as error:
            go_without(f"{HELP}\n{error}")
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Witness:
    """Notes what goes wrong in the pages of a context."""

    hosts: set[str]
    complaints: list[str] = field(default_factory=list)
    expected: tuple[str, ...] = ()
    """Beginnings of what a test causes on purpose, such as a refused connection."""

    def attend(self, page: Page) -> None:
        page.on("console", self.check_console)
        page.on("pageerror", lambda error: self.complain(str(error)))
        page.on("request", lambda request: self.check_host(request.url))

    def check_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complain(message.text)

    def check_host(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in {"http", "https"} and parts.netloc not in self.hosts:
            self.complain(f"request to {url}")

    def complain(self, text: str) -> None:
        if not text.startswith(self.expected or ("\0",)):
            self.complaints.append(text)


@contextmanager
def visiting(browser: Browser, *urls: str, **options: object) -> Iterator[tuple[BrowserContext, Witness]]:
    """A context whose pages are held to what every page must keep."""
    witness = Witness({urlsplit(url).netloc for url in urls})
    context = browser.new_context(**options)  # type: ignore[arg-type]
    context.set_default_timeout(15_000)
    context.add_init_script(REPORT_VIOLATIONS)
    context.on("page", witness.attend)
    try:
        yield context, witness
    finally:
        context.close()
    assert witness.complaints == []
