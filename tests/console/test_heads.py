"""The head of a request is bounded, and a body may follow it that is much larger."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from console.heads import MOST_BYTES
from tests.console.at_work import AtWork

HEAD = b"POST /v1/sources/orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
PIECE = 8192


@pytest.fixture
def connection(shop: AtWork) -> Iterator[socket.socket]:
    where = urlsplit(shop.address)
    with socket.create_connection((where.hostname, where.port), timeout=20) as made:
        yield made


def answer_to(connection: socket.socket, pieces: list[bytes]) -> tuple[bytes, int]:
    """Send pieces until something is answered; return the status line and how many were sent."""
    connection.settimeout(0.02)
    for sent, piece in enumerate(pieces, start=1):
        connection.sendall(piece)
        try:
            answer = connection.recv(PIECE)
        except TimeoutError:
            continue
        return answer.partition(b"\r\n")[0], sent
    connection.settimeout(20)
    return connection.recv(PIECE).partition(b"\r\n")[0], len(pieces)


@pytest.mark.parametrize("before", [
    HEAD + b"X-Long: ", b"POST /" + b"x" * 10,
    HEAD + b"Authorization: Bearer KEY\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Behind: ",
])  # fmt: skip
def test_a_head_without_end_ends_the_connection(
    shop: AtWork, connection: socket.socket, before: bytes
) -> None:
    before = before.replace(b"KEY", shop.answering.keyring.add("of a test", ["write"]).encode())
    endless = [b"x" * PIECE] * (20 * MOST_BYTES // PIECE)
    status, sent = answer_to(connection, [before, *endless])
    assert (status, sent < len(endless)) == (b"HTTP/1.1 400 Bad Request", True)


def test_a_body_may_be_larger_than_a_head(connection: socket.socket) -> None:
    body = b"[" + b" " * (2 * MOST_BYTES) + b"]"
    head = HEAD + b"Content-Length: " + str(len(body)).encode() + b"\r\n\r\n"
    status, _ = answer_to(connection, [head, *(body[at : at + PIECE] for at in range(0, len(body), PIECE))])
    assert status == b"HTTP/1.1 401 Unauthorized"


def test_requests_one_after_the_other_are_counted_apart(connection: socket.socket) -> None:
    asked = b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * (MOST_BYTES - 200) + b"\r\n\r\n"
    for _ in range(3):
        connection.sendall(asked)
        assert connection.recv(PIECE).startswith(b"HTTP/1.1 200")
