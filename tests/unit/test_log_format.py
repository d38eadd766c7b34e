"""The log without a terminal: a line of JSON for each event, and an error with its traceback."""

import json
import subprocess
import sys

FAILING = """
import structlog
from scoreboard.cli.logs import configure_logs

configure_logs()
try:
    raise RuntimeError("nobody foresaw this")
except RuntimeError:
    structlog.get_logger().exception("a stream has failed")
"""


def test_an_exception_is_logged_with_its_traceback_in_one_line() -> None:
    told = subprocess.run([sys.executable, "-c", FAILING], capture_output=True, text=True, check=True).stderr
    line = json.loads(told)
    assert (line["event"], line["level"]) == ("a stream has failed", "error")
    assert "Traceback" in line["exception"]
    assert "nobody foresaw this" in line["exception"]
