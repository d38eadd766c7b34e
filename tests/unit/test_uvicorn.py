"""All that `server.uvicorn_internals` relies on: a release of uvicorn that changes it fails here."""

import inspect
from typing import Any

import pytest
import uvicorn
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from tests.connections import REQUEST, OpenRequest

USED_METHODS: dict[type, dict[str, list[str]]] = {
    uvicorn.Server: {
        "startup": ["sockets"],
        "serve": ["sockets"],
        "on_tick": ["counter"],
        "handle_exit": ["sig", "frame"],
    },
    HttpToolsProtocol: {
        "__init__": ["config", "server_state", "app_state", "_loop"],
        "connection_made": ["transport"],
        "connection_lost": ["exc"],
        "on_message_begin": [],
        "on_headers_complete": [],
        "on_body": ["body"],
        "on_message_complete": [],
        "on_response_complete": [],
        "shutdown": [],
        "_start_asgi_task": ["cycle", "app"],
        "_unset_keepalive_if_required": [],
    },
    RequestResponseCycle: {
        "__init__": [
            *("scope", "transport", "flow", "logger", "access_logger", "access_log", "default_headers"),
            *("message_event", "expect_100_continue", "keep_alive", "on_response"),
        ],
        "send": ["message"],
    },
    FlowControl: {"__init__": ["transport"], "pause_reading": [], "resume_reading": []},
}

USED_ATTRIBUTES: dict[str, list[str]] = {
    "state": ["connections", "default_headers", "tasks"],
    "protocol": [
        *("app", "cycle", "expect_100_continue", "flow", "headers", "logger", "access_logger", "loop"),
        *("parser", "pipeline", "scope", "server_state", "transport", "url"),
    ],
    "cycle": [
        *("chunked_encoding", "disconnected", "expected_content_length", "keep_alive", "message_event"),
        *("response_complete", "response_started", "scope"),
    ],
}


@pytest.mark.parametrize(
    ("owner", "method", "parameters"),
    [(owner, *method) for owner, methods in USED_METHODS.items() for method in methods.items()],
    ids=lambda value: getattr(value, "__name__", value) if isinstance(value, str | type) else "",
)
def test_a_method_has_the_parameters_that_it_is_called_or_overridden_with(
    owner: type, method: str, parameters: list[str]
) -> None:
    signature = inspect.signature(getattr(owner, method))
    assert [name for name in signature.parameters if name != "self"] == parameters


@pytest.mark.parametrize(
    ("owner", "attribute"), [(owner, name) for owner, names in USED_ATTRIBUTES.items() for name in names]
)
async def test_an_attribute_that_is_used_exists(owner: str, attribute: str) -> None:
    request = await OpenRequest().started()
    assert hasattr(getattr(request, owner), attribute)
    await request.finish()


async def test_a_server_ticks_ten_times_a_second_until_it_should_exit() -> None:
    class Counting(uvicorn.Server):
        async def startup(self, sockets: Any = None) -> None:
            self.servers, self.started = [], True

        async def on_tick(self, counter: int) -> bool:
            ticks.append(counter)
            self.should_exit = len(ticks) == 3
            return await super().on_tick(counter)

    ticks: list[int] = []
    config = uvicorn.Config(lambda: None, lifespan="off", log_config=None)
    await Counting(config).serve(sockets=[])
    assert ticks == [0, 1, 2]


async def test_a_connection_that_is_lost_with_an_exception_stays_open_and_is_forgotten() -> None:
    request = await OpenRequest().started()
    assert request.protocol in request.state.connections
    request.protocol.connection_lost(Exception("detached"))
    assert request.protocol not in request.state.connections
    assert not request.transport.is_closed


async def test_a_disconnected_request_writes_and_logs_nothing_more(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("WARNING")
    request = await OpenRequest().started()
    request.protocol.connection_lost(Exception("detached"))
    request.cycle.disconnected = True
    written = request.transport.written
    await request.send(b"late", more_body=True)
    await request.finish()
    assert (request.transport.written, request.transport.is_closed, caplog.messages) == (written, False, [])


async def test_the_header_is_written_at_once_and_announces_chunks() -> None:
    request = await OpenRequest().started()
    assert request.transport.written.endswith(b"transfer-encoding: chunked\r\n\r\n")


async def test_a_response_can_be_sent_without_chunks_and_without_a_length() -> None:
    request = OpenRequest(minor_version=0)
    request.cycle.chunked_encoding = False
    request.cycle.expected_content_length = 2**62
    await request.started()
    await request.send(b"plain", more_body=True)
    head, _, body = request.transport.written.partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in head
    assert body == b"plain"


async def test_a_pipelined_request_waits_and_pauses_reading() -> None:
    request = await OpenRequest(more=REQUEST % 1).started()
    assert request.protocol.cycle is not request.cycle
    assert len(request.protocol.pipeline) == 1
    assert not request.transport.reads
    request.protocol.flow.resume_reading()
    assert request.transport.reads


async def test_the_next_request_of_the_queue_is_its_last_element() -> None:
    request = await OpenRequest(more=REQUEST % 1 + REQUEST % 1).started()
    (newest, _), (next_cycle, _) = request.protocol.pipeline
    assert newest is request.protocol.cycle
    await request.send(b"")
    assert [cycle for cycle, _ in request.protocol.pipeline] == [newest]
    assert next_cycle is not newest
    await request.finish()


async def test_an_extension_that_is_added_to_the_scope_reaches_the_application() -> None:
    request = OpenRequest()
    request.protocol.scope["extensions"] = {"ours": {}}
    await request.started()
    assert request.scope["extensions"] == {"ours": {}}
