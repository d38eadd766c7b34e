"""The port that serves administrators."""

from collections.abc import Callable

from starlette.types import Scope

IsAdminPort = Callable[[Scope], bool]
"""Returns True if a request was sent to a port that serves administrators."""


def admin_port_check(port: int | None, *, is_public: bool) -> IsAdminPort:
    """Return the check: the public port serves administrators, or only `port` does (None: no port).

    The port is that of the socket, which no header of a request can change.
    """
    if is_public:
        return lambda _scope: True
    return lambda scope: port is not None and scope["server"][1] == port
