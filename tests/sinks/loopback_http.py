"""An HTTP server on loopback, steered by a test: what it was sent, and what it answers next."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from sinks.channels.provider import Receipt


@dataclass(frozen=True)
class Taken:
    """One request."""

    path: str
    headers: Mapping[str, str]  # names in small letters
    body: bytes
    connection: int  # a number for each


@dataclass(frozen=True)
class Reply:
    """What is answered. breaks: the connection is closed in its place. kept: where it
    is a 200, the request counts as taken in.
    """

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    breaks: bool = False
    kept: bool = True


class LoopbackHttp:
    """Answers `always`, and before that each of `next` once. ``taken``: requests answered with 200."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.requests: list[Taken] = []
        self.taken: list[Taken] = []
        self.next: list[Reply] = []
        self.always = Reply()
        self.most_at_once = 0
        self._context = context
        self._lock = threading.Lock()
        self._at_once = 0
        self._connections: list[socket.socket] = []
        self.port = 0
        self._server: _Server | None = None
        self.come_back()

    def come_back(self) -> None:
        """Listen, at the same port as before."""
        self._server = _Server(("127.0.0.1", self.port), self, self._context)
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def go_away(self) -> None:
        """Take no connections, and close those that there are."""
        if self._server is None:
            return
        self._server.shutdown()
        self._thread.join()
        self._server.close_connections()
        self._server.server_close()
        self._server = None

    def answer(self, taken: Taken) -> Reply:
        """Note a request and return the answer to it."""
        with self._lock:
            self.requests.append(taken)
            reply = self.next.pop(0) if self.next else self.always
            if reply.status == 200 and reply.kept and not reply.breaks:
                self.taken.append(taken)
            return reply

    def count(self, more: int) -> None:
        """Note that a request begins or ends."""
        with self._lock:
            self._at_once += more
            self.most_at_once = max(self.most_at_once, self._at_once)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], owner: LoopbackHttp, context: ssl.SSLContext | None) -> None:
        self.owner = owner
        self._context = context
        self._open: list[socket.socket] = []
        super().__init__(address, _Handler)

    def get_request(self) -> tuple[socket.socket, object]:
        taken, address = super().get_request()
        if self._context:
            taken = self._context.wrap_socket(taken, server_side=True, do_handshake_on_connect=False)
        self._open.append(taken)
        return taken, address

    def close_connections(self) -> None:
        for one in self._open:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # it was closed before

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing: clients that break off are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_POST(self) -> None:
        owner = self.server.owner
        owner.count(1)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): text for name, text in self.headers.items()}
        reply = owner.answer(Taken(self.path, headers, body, self.client_address[1]))
        owner.count(-1)
        if reply.breaks:
            self.close_connection = True
            return
        self.send_response(reply.status)
        for name, text in reply.headers.items():
            self.send_header(name, text)
        if "Content-Length" not in reply.headers:
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, *told: object) -> None:
        """Nothing on the terminal."""


class FarHttp:
    """The other side of a provider that posts to an address: what a `tests.sinks.provider_contract.Far` does
    whatever is posted. ``http``: the server; a kind adds its provider, what came out and how it refuses.
    """

    def __init__(self) -> None:
        self.http = LoopbackHttp()
        self.receipts: list[Receipt] = []

    def go_away(self) -> bool:
        self.http.go_away()
        return True

    def come_back(self) -> None:
        self.http.come_back()

    def break_off(self) -> bool:
        self.http.next.append(Reply(breaks=True))
        return True
