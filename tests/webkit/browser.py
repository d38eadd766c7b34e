"""WebKitGTK's MiniBrowser, driven by WebDriver (https://www.w3.org/TR/webdriver2/), on a virtual screen."""

import os
import shutil
import subprocess
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from tests.servers.process import free_port, until

HELP = (
    "The tests in WebKit need WebKitGTK's driver and a screen: on Debian, apt-get install "
    "webkit2gtk-driver xvfb."
)

MINI_BROWSERS = list(Path("/usr/lib").glob("*/webkit2gtk-4.*/MiniBrowser"))

START_SECONDS = 60.0


def is_there() -> bool:
    return bool(shutil.which("WebKitWebDriver") and shutil.which("Xvfb") and MINI_BROWSERS)


class WebKit:
    """A session with one browser."""

    def __init__(self, client: httpx2.Client, session: str) -> None:
        self._client = client
        self._session = session

    def ask(self, method: str, path: str, **body: Any) -> Any:
        address = f"/session/{self._session}{path}"
        response = self._client.request(method, address, json=body if method == "POST" else None)
        value = response.json()["value"]
        assert response.status_code == 200, value
        return value

    def go(self, url: str) -> None:
        self.ask("POST", "/url", url=url)

    def run(self, script: str, *arguments: Any) -> Any:
        """Run the body of an async function in the page; its result."""
        wrapped = (
            "const done = arguments[arguments.length - 1];"
            f"(async (...given) => {{ {script} }})(...[...arguments].slice(0, -1))"
            ".then(done, (error) => done(`${error.name}: ${error.message}`));"
        )
        return self.ask("POST", "/execute/async", script=wrapped, args=list(arguments))

    def open_tab(self) -> str:
        handle: str = self.ask("POST", "/window/new", type="tab")["handle"]
        return handle

    def tabs(self) -> list[str]:
        handles: list[str] = self.ask("GET", "/window/handles")
        return handles

    def switch(self, handle: str) -> None:
        self.ask("POST", "/window", handle=handle)

    def resize(self, width: int, height: int) -> None:
        self.ask("POST", "/window/rect", width=width, height=height)

    def picture(self) -> bytes:
        return b64decode(self.ask("GET", "/screenshot"))


@contextmanager
def webkit() -> Iterator[WebKit]:
    """Run a browser until the end of the block."""
    reading, writing = os.pipe()
    screen = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x1024x24", "-nolisten", "tcp"],
        pass_fds=[writing],
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    port = free_port()
    with os.fdopen(reading) as display:
        number = display.readline().strip()
    driver = subprocess.Popen(
        ["WebKitWebDriver", f"--port={port}", "--host=127.0.0.1"],
        env={**os.environ, "DISPLAY": f":{number}", "GDK_BACKEND": "x11", "NO_AT_BRIDGE": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=START_SECONDS) as client:
            until(lambda: _answers(client), "WebKitWebDriver answers")
            options = {"binary": str(MINI_BROWSERS[-1]), "args": ["--automation"]}
            made = client.post(
                "/session", json={"capabilities": {"alwaysMatch": {"webkitgtk:browserOptions": options}}}
            ).json()["value"]
            assert "sessionId" in made, made
            browser = WebKit(client, made["sessionId"])
            yield browser
            client.delete(f"/session/{made['sessionId']}")
    finally:
        for process in (driver, screen):
            process.terminate()
            process.wait(10)


def _answers(client: httpx2.Client) -> bool:
    try:
        return client.get("/status").status_code == 200
    except httpx2.TransportError:
        return False
