"""Fuzz the HTTP server, and print each byte string that causes a wrong response or log line."""

import argparse
import tempfile
import time
from pathlib import Path

from tests.fuzz.sending import fault_of_answer, fault_of_log, sent, told
from tests.fuzz.strings import strings
from tests.harness import running


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=time.time_ns())
    given = parser.parse_args()
    count = failed = 0
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder), rate_limit="1000000/minute") as scoreboard,
    ):
        until = time.monotonic() + given.seconds
        for data in strings(given.seed, scoreboard.token().encode()):
            count += 1
            with told() as lines:
                received = sent(scoreboard, data, 1 + count % 3)
            for fault in (fault_of_answer(received), fault_of_log(lines)):
                if fault is not None:
                    failed += 1
                    print(
                        f"{fault}\n    sent {data!r}\n    received {received[:300]!r}\n    logged {lines}",
                        flush=True,
                    )
            if time.monotonic() > until:
                break
        alive = scoreboard.client.get("/health/live").status_code
    print(f"seed {given.seed}: {count} byte strings, {failed} faults; the health check returns {alive}")


if __name__ == "__main__":
    main()
