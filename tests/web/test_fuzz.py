"""Malformed HTTP: each connection gets a response or is closed, and the log stays short and has no secrets.

`python -m tools.fuzz` sends more of them.
"""

from itertools import islice
from pathlib import Path

from tests.fuzz.sending import fault_of_answer, fault_of_log, sent, told
from tests.fuzz.strings import strings
from tests.harness import running

SEED = 14
COUNT = 400


def test_malformed_requests_cause_no_errors_and_are_not_logged(tmp_path: Path) -> None:
    with running(tmp_path, rate_limit="1000000/minute") as scoreboard:
        token = scoreboard.token().encode()
        with told() as lines:
            answers = [
                (data, sent(scoreboard, data, 1 + number % 3))
                for number, data in enumerate(islice(strings(SEED, token), COUNT))
            ]
            assert scoreboard.client.get("/health/live").status_code == 200
    assert [(data, received) for data, received in answers if fault_of_answer(received)] == []
    assert fault_of_log(lines) is None, lines
    assert sum(received.startswith(b"HTTP/1.1 ") for _, received in answers) > COUNT / 2
