"""A web site of another origin whose pages use the server's JavaScript modules."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Site:
    url: str
    folder: Path

    def write(self, text: str, name: str = "index.html") -> None:
        (self.folder / name).write_text(text, encoding="utf-8")


@contextmanager
def site(folder: Path) -> Iterator[Site]:
    """Serve the files of a folder."""
    folder.mkdir()

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=listening.serve_forever)
    thread.start()
    try:
        yield Site(f"http://127.0.0.1:{listening.server_port}", folder)
    finally:
        listening.shutdown()
        thread.join()
        listening.server_close()
