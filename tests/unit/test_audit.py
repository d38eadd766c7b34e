"""`make audit` against several services: it fails if there is a vulnerability, and passes only if the check
took place.
"""

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
    """A service that speaks the protocol of osv.dev, and reports some packages as vulnerable."""

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
            """Suppress the log of requests."""

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


def test_the_audit_passes_if_the_service_knows_no_vulnerability_of_our_packages() -> None:
    with service("flask") as url:
        code, said = audit(url)
    assert (code, NOTHING in said) == (0, False)
    assert "No known vulnerabilities found" in said


def test_the_audit_fails_and_names_a_vulnerability() -> None:
    with service("flask", "pyjwt") as url:
        code, said = audit(url)
    assert code == 1
    assert "MADE-UP-pyjwt" in said


@pytest.mark.parametrize("status", [200, 503])
def test_an_answer_that_is_not_from_the_service_is_no_pass(status: int) -> None:
    with service(status=status) as url:
        code, said = audit(url)
    assert (code, said.count("\n"), NOTHING in said) == (0, 1, True)


def test_without_a_network_the_audit_is_skipped_with_one_line() -> None:
    code, said = audit(f"http://127.0.0.1:{free_port()}/v1/query")
    assert (code, said.count("\n"), NOTHING in said) == (0, 1, True)
