"""The one ASGI middleware around every request."""

import time
from collections.abc import Sequence
from typing import Final

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from scoreboard.ports.observer import Observer
from scoreboard.resilience.failures import Failures
from scoreboard.web.middleware.request_log import REQUEST_ID, USER, RequestLog, request_id
from scoreboard.web.middleware.security_headers import Header

OTHER_LABEL: Final = "other"
"""The label of paths without a route and of unusual methods: clients can make up any number of them."""

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class RequestMiddleware:
    """Remove the root path, time the request, complete the response's headers, and report what was answered.

    Outermost, so that it also covers the responses to unexpected errors. The events of a stream do not pass
    through here: `web.streaming` writes them to the connection.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        root_path: str,
        headers: Sequence[Header],
        observer: Observer,
        request_log: RequestLog | None,
    ) -> None:
        """Create the middleware. Each response gets those of `headers` that it does not have."""
        self._app = app
        self._root_path = root_path
        self._headers = headers
        self._observer = observer
        self._log = request_log
        self._failures = Failures("requests")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = time.perf_counter()
        log_id = None if self._log is None else request_id(scope)
        status = 500
        is_reported = False

        async def complete_and_send(message: Message) -> None:
            nonlocal status, is_reported
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = message["headers"] = list(message.get("headers", ()))
                present = {name.lower() for name, _ in headers}
                headers += [header for header in self._headers if header[0] not in present]
                if log_id is not None:
                    headers.append((REQUEST_ID, log_id))
            elif message.get("more_body") and not is_reported:
                # A stream, or a large file: report its start.
                is_reported = True
                self._report(scope, status, begun, log_id)
            await send(message)

        app = self._app
        if self._root_path:
            app = _redirect_to_slash(scope, self._root_path) or app
            # Some proxies remove the root path, such as `/scores`, and others do not.
            if scope["path"].startswith(f"{self._root_path}/"):
                scope["path"] = scope["path"].removeprefix(self._root_path)
        try:
            await app(scope, receive, complete_and_send)
        except Exception as error:  # noqa: BLE001  # A bug. Starlette has sent a response, and raises it again.
            # uvicorn would log a traceback for each request.
            self._failures.report(error, route=getattr(scope.get("route"), "path", OTHER_LABEL))
        finally:
            if not is_reported:
                self._report(scope, status, begun, log_id)

    def _report(self, scope: Scope, status: int, begun: float, log_id: bytes | None) -> None:
        seconds = time.perf_counter() - begun
        # The router has added the route to the scope.
        route: str = getattr(scope.get("route"), "path", OTHER_LABEL)
        method = scope["method"] if scope["method"] in METHODS else OTHER_LABEL
        self._observer.answered(route, method, status, seconds)
        if self._log is not None and log_id is not None:
            self._log.write(log_id, method, route, status, seconds, scope["state"].get(USER))


def _redirect_to_slash(scope: Scope, root_path: str) -> RedirectResponse | None:
    """Return the response to a request for the root path itself: relative URLs need its final slash."""
    if scope["path"] != root_path:
        return None
    query = scope["query_string"].decode("latin-1")
    return RedirectResponse(f"{root_path}/?{query}" if query else f"{root_path}/")
