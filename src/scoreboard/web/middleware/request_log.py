"""A line of the log for each request: which one, of whom, what came of it. Neither token nor address nor user id."""

import re
import time
from functools import lru_cache
from secrets import token_hex
from typing import Final

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from scoreboard.domain.digests import keyed_hash
from scoreboard.web.middleware.response_end import answer_and_tell, route_and_method

USER: Final = "user"
"""The key in `scope["state"]` of the user whose token was accepted."""

REQUEST_ID: Final = b"x-request-id"
"""What a proxy calls the request, so that its own log can be laid beside this one; else it gets a name here."""

REQUEST_IDS: Final = re.compile(rb"[A-Za-z0-9._=:/+-]{1,128}")

QUIET: Final = ("/health/",)
"""Routes that balancers ask every few seconds, each of them: only what goes wrong there is told."""

KEPT_HASHES: Final = 10_000

log = structlog.get_logger()


class RequestLog:
    """Outermost, so that a line says what was really answered, which goes out with the request's id.

    Of a user it shows a hash by a key (without one, nothing): the lines of one user are alike, and name nobody.
    """

    def __init__(self, app: ASGIApp, key: bytes | None) -> None:
        self._app = app
        self._hash = (
            None if key is None else lru_cache(KEPT_HASHES)(lambda user_id: f"{keyed_hash(key, user_id):x}")
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = time.perf_counter()
        request_id = _request_id(scope)

        async def naming(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), (REQUEST_ID, request_id)]
            await send(message)

        def tell(status: int) -> None:
            route, method = route_and_method(scope)
            if status < 500 and route.startswith(QUIET):
                return
            user = {"user": self._hash(scope["state"][USER])} if self._hash and USER in scope["state"] else {}
            log.info(
                "request",
                request_id=request_id.decode(),
                method=method,
                route=route,
                status=status,
                ms=round((time.perf_counter() - begun) * 1_000, 1),
                **user,
            )

        await answer_and_tell(self._app, scope, receive, naming, tell)


def _request_id(scope: Scope) -> bytes:
    for name, value in scope["headers"]:
        if name == REQUEST_ID and REQUEST_IDS.fullmatch(value):
            return bytes(value)
    return token_hex(8).encode()
