"""A real nginx with `deploy/nginx-site.conf` and nginx's own defaults for buffering and compression."""

import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from tests.limits import LIMIT_SECONDS
from tests.programs import find_program
from tests.servers.process import free_port, until

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


class Nginx:
    """A round-robin load balancer. Instances can be removed and added while it runs."""

    def __init__(
        self,
        folder: Path,
        instances: Sequence[str],
        http_version: str = "1.1",
        connections: int = CONNECTIONS,
        *,
        location: str = "/",
        is_stripped: bool = False,
    ) -> None:
        """Serve under a location, with or without its path in forwarded requests. A stream uses two
        connections of a worker.
        """
        self._program = find_program("nginx", "nginx-light")
        self._folder = folder
        self._http_version = http_version
        self._connections = connections
        self._location = location
        self._is_stripped = is_stripped
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._configure(instances)

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [self._program, "-p", str(self._folder), "-c", str(self._folder / "nginx.conf"), "-e", "stderr"]
        )
        try:
            until(lambda: bool(self._workers()), "nginx has a worker")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def balance(self, instances: Sequence[str]) -> None:
        """Balance new requests among these instances, and return when it takes effect. Requests in progress
        continue.
        """
        before = self._workers()
        self._configure(instances)
        self._process.send_signal(signal.SIGHUP)
        until(lambda: bool(self._workers() - before), "nginx has a new worker")

    def _workers(self) -> set[int]:
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text()
        return {int(child) for child in children.split()}

    def _configure(self, instances: Sequence[str]) -> None:
        site = SITE.read_text()
        for line, replacement in {
            "server 127.0.0.1:8000;": "\n".join(f"server {urlsplit(url).netloc};" for url in instances),
            "listen 80;": f"listen 127.0.0.1:{self._port};",
            "location /": f"location {self._location}",
            "proxy_pass http://scoreboard": f"proxy_pass http://scoreboard{'/' if self._is_stripped else ''}",
            "proxy_http_version 1.1": f"proxy_http_version {self._http_version}",
        }.items():
            assert site.count(line) == 1, line
            site = site.replace(line, replacement)
        text = CONFIGURATION.format(
            folder=self._folder,
            site=site,
            connections=self._connections,
            descriptors=2 * self._connections,
        )
        (self._folder / "nginx.conf").write_text(text)
