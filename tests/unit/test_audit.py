"""`make audit`, against services of all kinds: it fails where there is a vulnerability, and is not green by mistake."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.servers.process import free_port

AUDIT = Path(__file__).parents[2] / ".ci" / "audit"
PIP_AUDIT = Path(sys.executable).with_name("pip-audit")
NOTHING = "nothing was audited"


@contextmanager
def service(*vulnerable: str, status: int = 200) -> Iterator[str]:
    """What speaks as osv.dev does, and knows that all releases of some packages are vulnerable."""

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["package"]
            ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99"}]}]
            known = {
                "id": f"MADE-UP-{asked['name']}",
                "modified": "2026-01-01T00:00:00Z",
                "affected": [{"package": asked, "ranges": ranges}],
            }
            body = json.dumps({"vulns": [known]} if asked["name"] in vulnerable else {}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nobody wants to know."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1/query"
        finally:
            server.shutdown()
            thread.join()


def audit(url: str) -> tuple[int, str]:
    done = subprocess.run(
        [AUDIT, PIP_AUDIT, "--vulnerability-service=osv", f"--osv-url={url}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_no_vulnerability_is_told_by_a_service_that_knows_of_some() -> None:
    with service("flask") as url:
        code, said = audit(url)
    assert (code, NOTHING in said) == (0, False)
    assert "No known vulnerabilities found" in said


def test_a_vulnerability_fails_and_is_named() -> None:
    with service("flask", "pyjwt") as url:
        code, said = audit(url)
    assert code == 1
    assert "MADE-UP-pyjwt" in said


@pytest.mark.parametrize("status", [200, 404, 503])
def test_who_only_stands_in_for_the_service_is_not_believed(status: int) -> None:
    with service(status=status) as url:
        code, said = audit(url)
    assert (code, said.count("\n"), NOTHING in said) == (0, 1, True)


def test_without_a_network_one_line_says_so() -> None:
    code, said = audit(f"http://127.0.0.1:{free_port()}/v1/query")
    assert (code, said.count("\n"), NOTHING in said) == (0, 1, True)
