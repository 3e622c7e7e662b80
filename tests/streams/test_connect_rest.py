"""Calls of Kafka Connect's REST interface: what is tried again, and what is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from streams.debezium.rest import ConnectRest, NotThere
from streams.errors import InputError

REBALANCE = "Request cannot be completed because a rebalance is expected"
Serve = Callable[..., ConnectRest]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve answers (code, message) one after the other, the last one again and again."""
    servers: list[ThreadingHTTPServer] = []

    def start(*answers: tuple[int, str], timeout_s: float = 30.0) -> ConnectRest:
        waiting = list(answers)

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                code, message = waiting.pop(0) if len(waiting) > 1 else waiting[0]
                body = json.dumps({"message": message}).encode()
                self.send_response(code)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return ConnectRest(f"http://127.0.0.1:{server.server_port}", timeout_s)

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("code", [409, 500])
def test_a_refusal_while_tasks_are_distributed_anew_is_tried_again(serve: Serve, code: int) -> None:
    """Connect says so with either code, depending on when it notices."""
    rest = serve((code, REBALANCE), (code, REBALANCE), (200, "done"))
    assert rest.call("GET", "connectors") == {"message": "done"}


def test_a_refusal_of_a_worker_that_has_not_read_a_change_yet_is_tried_again(serve: Serve) -> None:
    rest = serve((409, "Cannot complete request momentarily due to stale configuration"), (200, "done"))
    assert rest.call("GET", "connectors", "a", "offsets") == {"message": "done"}


def test_it_is_told_when_that_does_not_end(serve: Serve) -> None:
    rest = serve((500, REBALANCE), timeout_s=0.1)
    with pytest.raises(InputError, match="a rebalance is expected"):
        rest.call("GET", "connectors")


@pytest.mark.parametrize(("code", "kind"), [(404, NotThere), (409, InputError), (500, InputError)])
def test_another_refusal_is_told_at_once_in_connects_words(
    serve: Serve, code: int, kind: type[InputError]
) -> None:
    rest = serve((code, "no, for a reason"), (200, "never asked"))
    with pytest.raises(kind, match="no, for a reason"):
        rest.call("GET", "connectors", "a")
