"""A real nginx with `deploy/nginx-site.conf` and nginx's own defaults for buffering and compression."""

import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from tests.programs import find_program
from tests.servers.process import Server, ordinary_user, until

SITE = Path(__file__).parents[2] / "deploy" / "nginx-site.conf"

CONFIGURATION = """\
daemon off;
worker_processes 1;
worker_rlimit_nofile {descriptors};
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections {connections}; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    gzip on;
    gzip_proxied any;
    gzip_types text/event-stream application/json;
    # A client that sends just as its idle connection is closed cannot know whether the request was received.
    keepalive_timeout 0;
    {site}
}}
"""

CONNECTIONS = 4_096


class Nginx(Server):
    """A round-robin load balancer. Instances can be removed and added while it runs."""

    NAME = "nginx"
    STOPS_BY = ENDS_BY = signal.SIGTERM

    def __init__(
        self,
        instances: Sequence[str],
        http_version: str = "1.1",
        connections: int = CONNECTIONS,
        *,
        location: str = "/",
        is_stripped: bool = False,
    ) -> None:
        """Serve under a location, whose path is forwarded or stripped. A stream takes two connections."""
        super().__init__(None, ordinary_user())
        self._program = find_program("nginx", "nginx-light")
        self._instances = instances
        self._http_version = http_version
        self._connections = connections
        self._location = location
        self._is_stripped = is_stripped

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str | Path]:
        self._configure()
        return [self._program, "-p", self.folder, "-c", self.folder / "nginx.conf", "-e", "stderr"]

    def answers(self) -> bool:
        return bool(self._workers())

    def balance(self, instances: Sequence[str]) -> None:
        """Balance new requests among these instances from now on. Requests in progress continue."""
        before = self._workers()
        self._instances = instances
        self._configure()
        os.kill(self.pid, signal.SIGHUP)
        until(lambda: bool(self._workers() - before), "nginx has a new worker")
        until(lambda: all(map(_is_leaving, before)), "nginx's old workers accept no connection")

    def _workers(self) -> set[int]:
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return {int(child) for child in children.split()}

    def _configure(self) -> None:
        site = SITE.read_text()
        for line, replacement in {
            "server 127.0.0.1:8000;": "\n".join(f"server {urlsplit(url).netloc};" for url in self._instances),
            "listen 80;": f"listen 127.0.0.1:{self.port};",
            "location /": f"location {self._location}",
            "proxy_pass http://scoreboard": f"proxy_pass http://scoreboard{'/' if self._is_stripped else ''}",
            "proxy_http_version 1.1": f"proxy_http_version {self._http_version}",
        }.items():
            assert site.count(line) == 1, line
            site = site.replace(line, replacement)
        text = CONFIGURATION.format(
            folder=self.folder,
            site=site,
            connections=self._connections,
            descriptors=2 * self._connections,
        )
        (self.folder / "nginx.conf").write_text(text)


def _is_leaving(worker: int) -> bool:
    """Return True if a worker has ended, or only continues with its open connections."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return b"shutting down" in Path(f"/proc/{worker}/cmdline").read_bytes()
    return True
