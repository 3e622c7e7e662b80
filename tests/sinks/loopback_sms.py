"""An HTTP server on loopback that stands for a provider in the cloud; each has its own file.

It closes each connection, so that a test leaves no socket to the collector.
"""

from __future__ import annotations

import json
import threading
from email.message import Message as Headers
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit


class Answer(Exception):
    """What is answered in place of success: an HTTP status and a document."""

    def __init__(self, status: int, document: Any) -> None:
        super().__init__(status)
        self.status = status
        self.document = document


class LoopbackSms:
    """Steered as `tests.sinks.provider_contract.Far` says; ``answer`` is a provider's protocol."""

    creates = False  # success is 201 and not 200

    def __init__(self) -> None:
        self.out: list[str] = []  # what was taken over, in the words of the customer's telephone
        self.requests: list[dict[str, Any]] = []
        self.badly_signed: list[str] = []
        self.next_answers: list[Answer] = []
        self.breaks = False
        self.hangs = threading.Event()
        self._let_go = threading.Event()
        self._server: ThreadingHTTPServer | None = None
        self.port = 0
        self.come_back()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, method: str, target: str, headers: Headers, body: bytes) -> Any:
        """Check a request and return the document of success. Raises Answer."""
        raise NotImplementedError

    def come_back(self) -> None:
        far = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if far.breaks:
                    far.breaks = False
                    self.close_connection = True
                    return
                if far.hangs.is_set():
                    far._let_go.wait(30)
                    return
                try:
                    if far.next_answers:
                        raise far.next_answers.pop(0)
                    status, document = 200, far.answer("POST", self.path, self.headers, body)
                except Answer as refused:
                    status, document = refused.status, refused.document
                sent = document if isinstance(document, bytes) else json.dumps(document).encode()
                self.send_response(201 if status == 200 and far.creates else status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(sent)))
                self.end_headers()
                self.wfile.write(sent)

            def log_message(self, *_: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def go_away(self) -> bool:
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()
        self._server = None
        return True

    def break_off(self) -> bool:
        self.breaks = True
        return True

    def close(self) -> None:
        self._let_go.set()
        if self._server is not None:
            self.go_away()


def path_and_query(target: str) -> tuple[str, str]:
    """Return a request's path and its query, as they were written."""
    parts = urlsplit(target)
    return parts.path or "/", parts.query
