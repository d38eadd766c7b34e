"""moto's server on the loopback, with the answers of `mock_answers` and `mock_parameter_groups`.

It writes its port as its first line, and ends when its input does: so it cannot outlive who started it.
"""

import sys

from moto.moto_server.threaded_moto_server import MotoRequestHandler
from moto.server import ThreadedMotoServer

from infrastructure.trial import mock_answers, mock_parameter_groups
from infrastructure.trial.mock_retries import SameAnswer


def main() -> None:
    mock_answers.add()
    mock_parameter_groups.add()
    MotoRequestHandler.wbufsize = -1  # headers and body in one packet: by default each goes by itself
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    assert server._server is not None
    server._server.app = SameAnswer(server._server.app)
    print(server.get_host_and_port()[1], flush=True)
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    main()
