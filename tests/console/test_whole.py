"""An answer's head and body leave as one piece, and what has no body at once does not wait."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, cast

import pytest

from console.whole import Whole
from tests.console.at_work import AtWork

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n"


class Line:
    """A transport that notes what is done with it."""

    def __init__(self) -> None:
        self.done: list[Any] = []

    def write(self, piece: bytes) -> None:
        self.done.append(piece)

    def close(self) -> None:
        self.done.append("closed")

    def is_closing(self) -> bool:
        return "closed" in self.done


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    made = asyncio.new_event_loop()
    yield made
    made.close()


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
def whole(line: Line, loop: asyncio.AbstractEventLoop) -> Whole:
    return Whole(cast(asyncio.Transport, line), loop)


def one_turn(loop: asyncio.AbstractEventLoop) -> None:
    loop.run_until_complete(asyncio.sleep(0))


def test_head_and_body_are_one_piece_and_more_of_the_body_follows(
    whole: Whole, line: Line, loop: asyncio.AbstractEventLoop
) -> None:
    for piece in (HEAD, b"body", b"more", HEAD, HEAD):  # a body may look like anything
        whole.write(piece)
    assert line.done == [HEAD + b"body", b"more", HEAD + HEAD]
    one_turn(loop)
    assert len(line.done) == 3


def test_a_head_without_a_body_at_once_goes_alone(
    whole: Whole, line: Line, loop: asyncio.AbstractEventLoop
) -> None:
    whole.write(HEAD)
    assert line.done == []
    one_turn(loop)
    assert line.done == [HEAD]
    whole.write(b"an event")
    assert line.done == [HEAD, b"an event"]


def test_what_was_written_goes_before_the_end_and_all_else_is_the_transports(
    whole: Whole, line: Line
) -> None:
    whole.write(HEAD)
    assert whole.is_closing() is False
    whole.close()
    assert line.done == [HEAD, "closed"]
    assert whole.is_closing() is True


def test_the_api_writes_an_answer_as_one_piece(shop: AtWork, monkeypatch: pytest.MonkeyPatch) -> None:
    """A head alone, as of a stream, and one with its body are told apart by what the connection is given."""
    pieces: list[bytes] = []
    write = Whole.write

    def noted(self: Whole, piece: bytes) -> None:
        pieces.append(piece)
        write(self, piece)

    monkeypatch.setattr(Whole, "write", noted)
    assert shop.client.get("/healthz").status_code == 200
    assert [piece.startswith(b"HTTP/1.1 200") for piece in pieces] == [True, False]
