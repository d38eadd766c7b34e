"""Creation and cancellation of uvicorn's `RequestResponseCycle`."""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle


def new_cycle(protocol: HttpToolsProtocol, *, is_kept_alive: bool) -> RequestResponseCycle:
    """Return a cycle for the request whose header was just parsed."""
    return RequestResponseCycle(
        scope=protocol.scope,
        transport=protocol.transport,
        flow=protocol.flow,
        logger=protocol.logger,
        access_logger=protocol.access_logger,
        access_log=False,
        default_headers=protocol.server_state.default_headers,
        message_event=asyncio.Event(),
        expect_100_continue=protocol.expect_100_continue,
        keep_alive=is_kept_alive,
        on_response=protocol.on_response_complete,
    )


def disconnect(cycle: RequestResponseCycle) -> None:
    """Tell a request's application that the client has disconnected."""
    if not cycle.response_complete:
        cycle.disconnected = True
    cycle.message_event.set()
