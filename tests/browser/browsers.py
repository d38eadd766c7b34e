"""Launch real browsers. Check that no page logs an error, asks another host or violates its policy."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from tests.limits import LIMIT_SECONDS
from tests.programs import go_without

REPORT_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) => {
  console.error(`policy violated: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`);
});
"""

PLAIN_HOST = "scores.test"
"""A name of this machine. By plain HTTP it is no secure origin, unlike 127.0.0.1: no Web Locks."""

CHROMIUM_HELP = (
    "The tests of the page need Chromium: on Debian, apt-get install chromium; elsewhere, "
    ".venv/bin/playwright install "
    "chromium; or name one in SCOREBOARD_TEST_CHROMIUM."
)
CHROMIUM_NAMES = (
    "chromium-headless-shell",  # the same engine without a desktop's windows: half the processor time
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)

FIREFOX_HELP = (
    "The tests of the page also run in Firefox: on Debian, apt-get install firefox-esr; or name one in "
    "SCOREBOARD_TEST_FIREFOX."
)
FIREFOX_NAMES = ("firefox-esr", "firefox")


def launch_chromium(playwright: Playwright) -> Browser:
    """Launch the system's Chromium, or else Playwright's. Without one, skip the test, or fail it in CI."""
    path = executable("SCOREBOARD_TEST_CHROMIUM", *CHROMIUM_NAMES, playwright.chromium.executable_path)
    if path is None:
        go_without(CHROMIUM_HELP)
    try:
        return playwright.chromium.launch(
            executable_path=path,
            # The browser resolves hosts of its vendor at startup: resolve only this machine.
            args=[f"--host-resolver-rules=MAP {PLAIN_HOST} 127.0.0.1 , MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"],
            # Users see scrollbars, and so do the tests.
            ignore_default_args=["--hide-scrollbars"],
        )
    except PlaywrightError as error:
        go_without(f"{CHROMIUM_HELP}\n{error}")


def launch_firefox(
    playwright: Playwright, preferences: Mapping[str, str | int | bool] | None = None
) -> Browser:
    """Launch the system's Firefox by WebDriver BiDi. Without one, skip the test, or fail it in CI."""
    path = executable("SCOREBOARD_TEST_FIREFOX", *FIREFOX_NAMES)
    if path is None:
        go_without(FIREFOX_HELP)
    try:
        return playwright.firefox.launch(
            executable_path=path,
            channel="moz-firefox",
            firefox_user_prefs={
                "network.dns.disabled": True,
                "network.dns.localDomains": PLAIN_HOST,
                **(preferences or {}),
            },
        )
    except PlaywrightError as error:
        go_without(f"{FIREFOX_HELP}\n{error}")


def executable(setting: str, *names: str) -> str | None:
    """Return the first executable that exists: from an environment variable, or by name or path."""
    found = map(shutil.which, [os.environ.get(setting, ""), *names])
    return next((path for path in found if path), None)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run a separate Chromium, for programs without fixtures."""
    with sync_playwright() as playwright, launch_chromium(playwright) as browser:
        yield browser


@dataclass
class Witness:
    """Collects the errors of the pages of a context."""

    hosts: set[str]
    expected: tuple[str, ...]
    """Beginnings of errors that the test causes on purpose, such as a refused connection."""
    errors: list[str] = field(default_factory=list)

    def attend(self, page: Page) -> None:
        page.on("console", self.check_console)
        page.on("pageerror", lambda error: self.note(str(error)))
        page.on("request", lambda request: self.check_host(request.url))

    def check_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.note(message.text)

    def check_host(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in {"http", "https"} and parts.netloc not in self.hosts:
            self.note(f"request to {url}")

    def note(self, text: str) -> None:
        if not text.startswith(self.expected or ("\0",)):
            self.errors.append(text)


@contextmanager
def visiting(
    browser: Browser, *urls: str, expected: tuple[str, ...] = (), **options: object
) -> Iterator[BrowserContext]:
    """Open a context. Its pages may request only these hosts, and may log only the expected errors."""
    witness = Witness({urlsplit(url).netloc for url in urls}, expected)
    context = browser.new_context(**options)  # type: ignore[arg-type]
    context.set_default_timeout(LIMIT_SECONDS * 1_000)
    context.add_init_script(REPORT_VIOLATIONS)
    context.on("page", witness.attend)
    try:
        yield context
    finally:
        context.close()
    assert not witness.errors, witness.errors


@contextmanager
def visited(
    browser: Browser, url: str, *hosts: str, expected: tuple[str, ...] = (), **options: object
) -> Iterator[Page]:
    """Open a page at a URL, in a context of its own. It may also request other hosts (URLs)."""
    with visiting(browser, url, *hosts, expected=expected, **options) as context:
        page = context.new_page()
        page.goto(url)
        yield page
