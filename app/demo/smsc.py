"""An SMSC on loopback: takes the demo's texts by SMPP as a carrier would, and says that they have arrived.

It listens on 127.0.0.1 in a thread of its own, on a free port, with a password made for this run: nothing of
the demo leaves the machine.
"""

from __future__ import annotations

import asyncio
import secrets
import struct
import threading
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from smpplib.command_codes import commands

from sinks.channels.smpp.inbound import Written
from sinks.channels.smpp.pdu import (
    HEADER_BYTES,
    MalformedPdu,
    Pdu,
    parse,
    request,
    response,
    split,
    text_of,
)  # fmt: skip
from sinks.channels.sms_text import Counted, count

Made = TypeVar("Made")
ACCOUNT = "demo"
BAD_PASSWORD, BAD_COMMAND = 0x0E, 0x03  # SMPP 3.4, section 5.1.3
RECEIPT = 0x04  # section 5.2.12
ONE_PHONE_IN = 29  # cannot be reached, always the same ones: so that the demo shows a failure too
WAIT_SECONDS = 10.0


@dataclass(frozen=True)
class Sms:
    """A text that has come in whole. phone: masked; counted: its alphabet, units and parts; delivered:
    whether its phone could be reached.
    """

    phone: str
    text: str
    counted: Counted
    delivered: bool


def masked(phone: str) -> str:
    """Return a number of which only the ends can be read.

    >>> masked("13800001234")
    '138****1234'
    """
    return f"{phone[:3]}****{phone[-4:]}"


def is_reached(phone: str) -> bool:
    """Whether a phone is on."""
    return int(phone) % ONE_PHONE_IN != 0


class Smsc:
    """Listens from its making to `close`. port, password: for whoever sends. Take what came with `taken`."""

    def __init__(self) -> None:
        self.password = secrets.token_hex(4)  # SMPP has eight letters at most
        self.sms: list[Sms] = []
        self.unsettled = 0  # receipts that are not answered yet
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="smsc", daemon=True)
        self._thread.start()
        self._connections: set[_Connection] = set()
        self._server = self._do(self._listen())
        self.port: int = self._server.sockets[0].getsockname()[1]

    def taken(self) -> list[Sms]:
        """Return the texts that came since the last time."""
        found, self.sms = self.sms, []
        return found

    def close(self) -> None:
        """Close the connections and the port."""
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self) -> asyncio.Server:
        return await self._loop.create_server(lambda: _Connection(self, self._connections), "127.0.0.1", 0)

    async def _end(self) -> None:
        self._server.close()
        for one in list(self._connections):
            one.transport.abort()

    def _do(self, work: Coroutine[Any, Any, Made]) -> Made:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(WAIT_SECONDS)


class _Connection(asyncio.Protocol):
    """One client. What it sends is answered at once, and behind a text comes its receipt."""

    def __init__(self, smsc: Smsc, connections: set[_Connection]) -> None:
        self._smsc, self._connections = smsc, connections
        self._buffer, self._written = bytearray(), Written()
        self._bound = False
        self._numbers = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        try:
            for whole in split(self._buffer):
                self._answer(parse(whole))
        except MalformedPdu as error:
            self._write(response("generic_nack", error.sequence, error.status))
            self.transport.close()

    def _answer(self, pdu: Pdu) -> None:
        if pdu.name == "deliver_sm_resp":
            self._smsc.unsettled -= 1
        elif pdu.name == "bind_transceiver":
            self._bind(pdu)
        elif pdu.name == "submit_sm" and self._bound:
            self._take(pdu)
        elif pdu.name in ("enquire_link", "unbind"):
            self._write(response(f"{pdu.name}_resp", pdu.sequence))
            if pdu.name == "unbind":
                self.transport.close()
        else:
            self._write(response("generic_nack", pdu.sequence, BAD_COMMAND))

    def _bind(self, pdu: Pdu) -> None:
        said = text_of(getattr(pdu.body, "system_id", None)), text_of(getattr(pdu.body, "password", None))
        self._bound = said == (ACCOUNT, self._smsc.password)
        status = 0 if self._bound else BAD_PASSWORD
        self._write(_named("bind_transceiver_resp", pdu.sequence, "loopback", status))

    def _take(self, pdu: Pdu) -> None:
        """Take one part; a text that is whole is kept. Its receipt follows the answer on the same wire."""
        self._numbers += 1
        name, phone = f"{self._numbers:08X}", text_of(getattr(pdu.body, "destination_addr", None))
        state = "DELIVRD err:000" if is_reached(phone) else "UNDELIV err:027"
        whole = self._written.read(pdu)  # a submit_sm has the fields of a deliver_sm (section 4.6.1)
        if whole is not None:
            sms = Sms(masked(phone), whole.text, count(whole.text), is_reached(phone))
            self._smsc.sms.append(sms)
        self._write(_named("submit_sm_resp", pdu.sequence, name))
        self._smsc.unsettled += 1
        self._write(request(
            "deliver_sm", self._numbers, source_addr=phone, destination_addr="", esm_class=RECEIPT,
            short_message=f"id:{name} sub:001 dlvrd:001 stat:{state} text:".encode("ascii"),
        ))  # fmt: skip

    def _write(self, data: bytes) -> None:
        self.transport.write(data)


def _named(command: str, sequence: int, name: str, status: int = 0) -> bytes:
    """Return an answer whose body is one name."""
    body = name.encode("ascii") + b"\0"
    return struct.pack(">LLLL", HEADER_BYTES + len(body), commands[command], status, sequence) + body
