"""One connection to an SMSC, bound: requests in flight up to a window, answers, and whether it still lives.

Nothing here knows of messages: a submit_sm goes in, its answer comes out, and what the SMSC sends of its own
accord is handed on.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from smpplib.command import Command

from sinks.channels.outcome import Unknown
from sinks.channels.smpp.pdu import MalformedPdu, Pdu, pack, parse, request, response, split

Answer = Pdu | Unknown
Heard = Callable[[Pdu], None]
LAST_SEQUENCE = 0x7FFFFFFF  # SMPP 3.4, section 3.2
TICK_SECONDS = 0.25  # how exactly time-outs are kept
INVALID_COMMAND = 0x03
DELIVERS = ("deliver_sm", "data_sm")
WITHOUT_ANSWER = ("alert_notification", "outbind")


class Lost(Exception):
    """The connection has ended; nothing was written."""


@dataclass
class _Waiting:
    future: asyncio.Future[Answer]
    until: float
    answered: Heard | None


class Link(asyncio.Protocol):
    """A connection. window: submits in flight; the times are seconds. heard: gets each deliver_sm and data_sm
    before it is answered; where it raises, the connection ends without an answer, and the SMSC sends again.
    """

    def __init__(self, window: int, enquire: float, response: float, heard: Heard) -> None:
        self._window, self._enquire, self._response, self._heard = window, enquire, response, heard
        self._loop = asyncio.get_running_loop()
        self._buffer = bytearray()
        self._waiting: dict[int, _Waiting] = {}  # the oldest first: all have the same time-out
        self._queue: deque[asyncio.Future[None]] = deque()  # who waits for room in the window
        self._sequence = 0
        self._writable = True
        self._silent = 0.0
        self._enquired = False
        self._watch: asyncio.TimerHandle | None = None
        self.ended = asyncio.Event()
        self.reason = ""

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._watch = self._loop.call_later(TICK_SECONDS, self._tick)

    def connection_lost(self, exc: Exception | None) -> None:
        self.end(f"the connection broke ({exc})" if exc else "the connection was closed")

    def eof_received(self) -> None:
        self.end("the SMSC has closed the connection")

    def pause_writing(self) -> None:
        self._writable = False

    def resume_writing(self) -> None:
        self._writable = True
        self._let_all_on()

    def data_received(self, data: bytes) -> None:
        self._silent, self._enquired = 0.0, False
        self._buffer += data
        try:
            for whole in split(self._buffer):
                if not self.ended.is_set():
                    self._take_one(whole)
        except MalformedPdu as error:  # where the next one begins is not known either
            self._write(response("generic_nack", 0, error.status))
            self.end(f"what came is no SMPP: {error}")

    # Requests

    async def ask(self, name: str, **fields: str | int) -> Answer:
        """Send a bind or an unbind and return its answer."""
        sequence = self._next()
        return await self._send(sequence, request(name, sequence, **fields), None)

    async def room(self) -> None:
        """Wait until the window has room for a submit. Raises Lost."""
        while True:
            if self.ended.is_set() or self._transport.is_closing():
                raise Lost(self.reason or "the connection was closed")
            if len(self._waiting) < self._window and self._writable:
                return
            turn = self._loop.create_future()
            self._queue.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self.pass_on()
                raise

    def pass_on(self) -> None:
        """Let the next have a turn that `room` gave and nobody takes."""
        self._let_one_on()

    def submit(self, made: Command, answered: Heard | None = None) -> asyncio.Future[Answer]:
        """Write a submit_sm now, behind `room`, and return its answer to come. answered: is called with it at
        once, before anything that the SMSC sends behind it is looked at.
        """
        sequence = self._next()
        return self._send(sequence, pack(made, sequence), answered)

    def enquire(self) -> None:
        """Ask whether the SMSC is there; whatever comes from it is the answer."""
        self._write(request("enquire_link", self._next()))

    async def close(self) -> None:
        """Unbind, after what is in flight, and close."""
        waiting = [one.future for one in self._waiting.values()]
        if waiting:
            await asyncio.wait(waiting, timeout=self._response)
        if not self.ended.is_set():
            await self.ask("unbind")
        self.end("closed")

    def end(self, reason: str) -> None:
        """Close at once; what waits for an answer is unknown."""
        if self.ended.is_set():
            return
        self.reason = reason
        self.ended.set()
        if self._watch is not None:
            self._watch.cancel()
        for sequence in list(self._waiting):
            self._settle(sequence, Unknown(f"{reason} before it answered"))
        self._let_all_on()
        self._transport.close()

    # Inside

    def _next(self) -> int:
        self._sequence = self._sequence % LAST_SEQUENCE + 1
        return self._sequence

    def _send(self, sequence: int, data: bytes, answered: Heard | None) -> asyncio.Future[Answer]:
        future: asyncio.Future[Answer] = self._loop.create_future()
        self._waiting[sequence] = _Waiting(future, self._loop.time() + self._response, answered)
        self._write(data)
        return future

    def _write(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(data)

    def _take_one(self, whole: bytes) -> None:
        try:
            pdu = parse(whole)
        except MalformedPdu as error:
            if error.is_response:
                self._settle(error.sequence, Unknown(f"its answer cannot be read: {error}"))
            else:
                self._write(response("generic_nack", error.sequence, error.status))
            return
        if pdu.name == "generic_nack" and pdu.sequence not in self._waiting:
            # SMPP 3.4, section 4.3.1: it could not read the number, so nobody knows which request is meant
            if pdu.sequence == 0:
                self.end(f"generic_nack 0x{pdu.status:08X} for a request without a number")
        elif pdu.name == "generic_nack" or pdu.name.endswith("_resp"):
            self._settle(pdu.sequence, pdu)
        else:
            self._answer(pdu)

    def _answer(self, pdu: Pdu) -> None:
        """Answer a request of the SMSC."""
        if pdu.name in DELIVERS:
            self._heard(pdu)
            self._write(response(f"{pdu.name}_resp", pdu.sequence))
        elif pdu.name == "enquire_link":
            self._write(response("enquire_link_resp", pdu.sequence))
        elif pdu.name == "unbind":
            self._write(response("unbind_resp", pdu.sequence))
            self.end("the SMSC has unbound")
        elif pdu.name not in WITHOUT_ANSWER:
            self._write(response("generic_nack", pdu.sequence, INVALID_COMMAND))

    def _settle(self, sequence: int, answer: Answer) -> None:
        waiting = self._waiting.pop(sequence, None)
        if waiting is None:  # an enquire_link's, or it comes behind its time-out
            return
        if waiting.answered is not None and isinstance(answer, Pdu):
            waiting.answered(answer)
        if not waiting.future.done():
            waiting.future.set_result(answer)
        self._let_one_on()

    def _let_one_on(self) -> None:
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(None)
                return

    def _let_all_on(self) -> None:
        while self._queue:
            self._let_one_on()

    def _tick(self) -> None:
        """Time-outs. Silence is counted in ticks, so that a loop that stood still has not heard silence."""
        self._watch = self._loop.call_later(TICK_SECONDS, self._tick)
        now = self._loop.time()
        for sequence, waiting in list(self._waiting.items()):
            if waiting.until > now:
                break
            self._settle(sequence, Unknown(f"no answer within {self._response:g} seconds"))
        self._silent += TICK_SECONDS
        if self._silent >= self._enquire and not self._enquired:
            self._enquired = True
            self.enquire()
        elif self._silent >= self._enquire + self._response:
            self.end(f"the SMSC does not answer enquire_link within {self._response:g} seconds")
