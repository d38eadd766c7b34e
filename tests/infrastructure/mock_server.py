"""moto's server on the loopback, with the answers of `mock_answers` and `mock_parameter_groups`.

It writes its port as its first line, and ends when its input does: so it cannot outlive who started it.
"""

import sys

from moto.moto_server.threaded_moto_server import MotoRequestHandler
from moto.server import ThreadedMotoServer

from tests.infrastructure import mock_answers, mock_parameter_groups


def main() -> None:
    mock_answers.add()
    mock_parameter_groups.add()
    # By default headers and body go out each by itself, and Terraform has met a connection closed between them: what it
    # had asked for was made, and could not be made again.
    MotoRequestHandler.wbufsize = -1
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    print(server.get_host_and_port()[1], flush=True)
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    main()
