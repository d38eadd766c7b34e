"""Health check of the container. It uses the standard library only, since the image has no curl."""

import os
import ssl
from http.client import HTTPConnection, HTTPException, HTTPSConnection

LIMIT_SECONDS = 2.0
"""Less than the time-out of the Dockerfile's HEALTHCHECK, so that the reason is printed."""

# The server listens on one address or on all.
host = os.environ.get("SCOREBOARD_HOST") or "127.0.0.1"
address = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # connected to, not listened on
port = int(os.environ.get("SCOREBOARD_PORT") or 8000)

# The certificate is for the public name, and the connection stays on this machine.
connection = (
    HTTPSConnection(address, port, timeout=LIMIT_SECONDS, context=ssl._create_unverified_context())  # noqa: S323, SLF001
    if os.environ.get("SCOREBOARD_TLS_CERTIFICATE")
    else HTTPConnection(address, port, timeout=LIMIT_SECONDS)
)
try:
    connection.request("GET", "/health/live")
    status = connection.getresponse().status
except (OSError, HTTPException) as error:
    where = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    raise SystemExit(f"no answer at {where}: {error}") from None
if status != 200:
    raise SystemExit(f"/health/live answered {status}")
