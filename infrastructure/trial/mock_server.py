"""Run moto's server on the loopback interface, with the responses of `mock_answers` and
`mock_parameter_groups`.

The first line of output is the port. The server exits when its standard input is closed.
"""

import sys
from collections.abc import Callable, Iterable
from typing import Any

from moto.moto_server.threaded_moto_server import MotoRequestHandler
from moto.server import ThreadedMotoServer
from werkzeug.wrappers import Response

from infrastructure.trial import mock_answers, mock_parameter_groups

INVOCATION = "HTTP_AMZ_SDK_INVOCATION_ID"
"""The same for each attempt of a call: https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html"""


class RepeatedResponses:
    """WSGI middleware that repeats the first response to a retried call, as most of AWS's services do.

    Terraform sometimes loses a response. Its retry would fail: the resource exists already, or no longer.
    """

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self._application = application
        self._responses: dict[str, Response] = {}

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        invocation = environ.get(INVOCATION, "")
        response = self._responses.get(invocation)
        if response is None:
            response = Response.from_app(self._application, environ, buffered=True)
            response.freeze()
            if invocation and response.status_code < 300:
                self._responses[invocation] = response
        return response(environ, start_response)


def main() -> None:
    mock_answers.add()
    mock_parameter_groups.add()
    MotoRequestHandler.wbufsize = -1  # headers and body in one packet; by default each has its own
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    assert server._server is not None
    server._server.app = RepeatedResponses(server._server.app)
    print(server.get_host_and_port()[1], flush=True)
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    main()
