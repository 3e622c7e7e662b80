"""An SMSC on loopback for tests: SMPP 3.4 in a thread of its own, as a test steers it.

It has its own reading of the specification, by `struct`, so that what `sinks.channels` encodes is read by
other code. ``python -m tests.sinks.loopback_smsc`` runs one until its input ends, and prints its port.
"""

from __future__ import annotations

import asyncio
import struct
import sys
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, cast

Made = TypeVar("Made")
BINDS = {1: "receiver", 2: "transmitter", 9: "transceiver"}
SUBMIT, DELIVER, UNBIND, ENQUIRE, NACK, ANSWER = 0x04, 0x05, 0x06, 0x15, 0x80000000, 0x80000000


@dataclass(frozen=True)
class Submitted:
    """A submit_sm. part: reference, total, number, where there is a header; content: without it."""

    source: str
    destination: str
    numbers: tuple[int, int, int, int]  # ton and npi of source and destination
    registered: int
    coding: int
    content: bytes
    part: tuple[int, int, int] | None

    @property
    def text(self) -> str:
        return self.content.decode("utf-16-be" if self.coding == 8 else "ascii")


@dataclass(frozen=True)
class Bind:
    kind: str
    system_id: str
    password: str
    system_type: str
    version: int


class _Fields:
    """Reads the mandatory fields of a PDU in order."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def text(self) -> str:
        end = self.data.index(b"\0", self.at)
        found, self.at = self.data[self.at : end], end + 1
        return found.decode("ascii")

    def byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def octets(self, length: int) -> bytes:
        self.at += length
        found = self.data[self.at - length : self.at]
        assert len(found) == length
        return found


class _Connection(asyncio.Protocol):
    def __init__(self, smsc: LoopbackSmsc) -> None:
        self.smsc, self.buffer, self.bound = smsc, bytearray(), ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.smsc.connections.append(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.smsc.connections.remove(self)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while len(self.buffer) >= 16:
            length, command, status, sequence = struct.unpack_from(">LLLL", self.buffer)
            if len(self.buffer) < length:
                return
            body = bytes(self.buffer[16:length])
            del self.buffer[:length]
            self.smsc.take(self, command, status, sequence, body)

    def write(self, command: int, sequence: int, status: int = 0, body: bytes = b"") -> None:
        self.transport.write(struct.pack(">LLLL", 16 + len(body), command, status, sequence) + body)


class LoopbackSmsc:
    """Runs from its making to `close`. Attributes may be set and read from the test's thread."""

    def __init__(self, keep: bool = True) -> None:
        self.submitted: list[Submitted] = []
        self.binds: list[Bind] = []
        self.answered: list[tuple[int, int, int]] = []  # command, status, sequence of the client's answers
        self.statuses: deque[int] = deque()  # of the next submits; 0 accepts
        self.bind_status = 0
        self.enquiries = 0
        self.unbinds = 0
        self.deaf = False  # answers nothing but binds
        self.nack = False  # answers submits with generic_nack
        self.hold = False  # keeps answers of submits until `release`
        self.held: list[tuple[_Connection, int, bytes]] = []
        self.breaks_after_submit = False
        self.breaks_after_part: int | None = None
        self.connections: list[_Connection] = []
        self._keep, self._ids, self._sequence = keep, 0, 1000
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.port = 0
        self.come_back()

    # What a test does

    def go_away(self) -> None:
        """Take no connections, and break off those there are."""

        async def work() -> None:
            self._server.close()
            for one in list(self.connections):
                one.transport.abort()
            while self.connections:
                await asyncio.sleep(0)

        self._do(work)

    def come_back(self) -> None:
        async def work() -> None:
            self._server = await self._loop.create_server(
                lambda: _Connection(self), "127.0.0.1", self.port, reuse_address=True
            )
            self.port = self._server.sockets[0].getsockname()[1]

        self._do(work)

    def release(self) -> None:
        """Answer the submits that are held."""

        async def work() -> None:
            for connection, sequence, body in self.held:
                connection.write(SUBMIT | ANSWER, sequence, body=body)
            self.held.clear()

        self._do(work)

    def receipt(
        self, message_id: str, stat: str = "DELIVRD", err: str = "000", date: str = "2611300830"
    ) -> None:
        """Send a receipt as text (appendix B)."""
        text = (
            f"id:{message_id} sub:001 dlvrd:001 submit date:2611300829 done date:{date} stat:{stat} "
            f"err:{err} text:id:9 stat:UNDELIV"
        )
        self.deliver("13800001001", text.encode("ascii"), esm_class=0x04)

    def receipt_by_parameters(self, message_id: str, state: int) -> None:
        """Send a receipt without text, with optional parameters, some of which nobody knows."""
        name = message_id.encode("ascii") + b"\0"
        optional = struct.pack(">HH", 0x1403, 2) + b"xy"  # a vendor's own
        optional += struct.pack(">HHH", 0x000E, 2, 7)  # source_network_type, of another length than is right
        optional += struct.pack(">HH", 0x001E, len(name)) + name
        optional += struct.pack(">HHB", 0x0427, 1, state)
        self.deliver("13800001001", b"", optional=optional)

    def write(self, address: str, text: str, room: int = 1000, last: bool = False) -> None:
        """Send what a customer writes, in parts of so many characters; or only the last of them."""
        pieces = [text[at : at + room] for at in range(0, len(text), room)]
        for number, piece in [*enumerate(pieces, 1)][-1:] if last else enumerate(pieces, 1):
            content = piece.encode("utf-16-be")
            if len(pieces) > 1:
                content = bytes([5, 0, 3, 77, len(pieces), number]) + content
            self.deliver(address, content, esm_class=0x40 if len(pieces) > 1 else 0, coding=8)

    def deliver(
        self, address: str, content: bytes, *, esm_class: int = 0, coding: int = 0, optional: bytes = b""
    ) -> None:
        """Send a deliver_sm."""
        body = b"\0\1\1" + address.encode("ascii") + b"\0\0\0TINTYPE\0"
        body += bytes([esm_class, 0, 0]) + b"\0\0" + bytes([0, 0, coding, 0, len(content)]) + content
        self.request(DELIVER, body + optional)

    def request(self, command: int, body: bytes = b"", sequence: int | None = None) -> None:
        """Send a PDU on the newest connection."""

        async def work() -> None:
            self._sequence += 1
            self.connections[-1].write(command, self._sequence if sequence is None else sequence, body=body)

        self._do(work)

    def raw(self, data: bytes) -> None:
        async def work() -> None:
            self.connections[-1].transport.write(data)

        self._do(work)

    def messages(self) -> list[str]:
        """Return what was submitted, parts put together."""
        whole: list[str] = []
        parts: dict[tuple[str, int], dict[int, bytes]] = {}
        for one in self.submitted:
            if one.part is None:
                whole.append(one.text)
                continue
            reference, total, number = one.part
            had = parts.setdefault((one.destination, reference), {})
            assert number not in had
            had[number] = one.content
            if len(had) == total:
                content = b"".join(had[at] for at in range(1, total + 1))
                whole.append(content.decode("utf-16-be" if one.coding == 8 else "ascii"))
                del parts[one.destination, reference]
        return whole

    def close(self) -> None:
        self.go_away()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work: Callable[[], object]) -> None:
        asyncio.run_coroutine_threadsafe(work(), self._loop).result(10)  # type: ignore[arg-type]

    # What a client asks

    def take(self, connection: _Connection, command: int, status: int, sequence: int, body: bytes) -> None:
        """Answer one PDU."""
        if command & ANSWER:
            self.answered.append((command, status, sequence))
        elif command in BINDS:
            self._bind(connection, command, sequence, body)
        elif command == ENQUIRE:
            self.enquiries += 1
            if not self.deaf:
                connection.write(ENQUIRE | ANSWER, sequence)
        elif command == UNBIND:
            self.unbinds += 1
            connection.write(UNBIND | ANSWER, sequence)
            connection.transport.close()
        elif command == SUBMIT and connection.bound in ("transceiver", "transmitter"):
            self._submit(connection, sequence, body)
        else:
            connection.write(NACK, sequence, 0x03)

    def _bind(self, connection: _Connection, command: int, sequence: int, body: bytes) -> None:
        fields = _Fields(body)
        self.binds.append(
            Bind(BINDS[command], fields.text(), fields.text(), fields.text(), fields.byte())
        )
        if not self.bind_status:
            connection.bound = BINDS[command]
        optional = struct.pack(">HHB", 0x0210, 1, 0x34)  # sc_interface_version
        answer = b"" if self.bind_status else b"loopback\0" + optional
        connection.write(command | ANSWER, sequence, self.bind_status, answer)

    def _submit(self, connection: _Connection, sequence: int, body: bytes) -> None:
        if self.statuses and (status := self.statuses.popleft()):
            connection.write(SUBMIT | ANSWER, sequence, status)
            return
        if self.nack:
            connection.write(NACK, sequence, 0x08)
            return
        submitted = _submitted(body) if self._keep else None
        if submitted is not None:
            self.submitted.append(submitted)
            number = submitted.part[2] if submitted.part else None
            if self.breaks_after_submit or number == self.breaks_after_part is not None:
                self.breaks_after_submit, self.breaks_after_part = False, None
                connection.transport.abort()
                return
        if self.deaf:
            return
        self._ids += 1
        answer = f"{self._ids:08X}".encode("ascii") + b"\0"
        if self.hold:
            self.held.append((connection, sequence, answer))
        else:
            connection.write(SUBMIT | ANSWER, sequence, body=answer)


def _submitted(body: bytes) -> Submitted:
    fields = _Fields(body)
    fields.text()  # service_type
    numbers = [fields.byte(), fields.byte()]
    source = fields.text()
    numbers += [fields.byte(), fields.byte()]
    destination = fields.text()
    esm_class, _, _ = fields.byte(), fields.byte(), fields.byte()
    schedule, validity = fields.text(), fields.text()
    registered, _, coding, _ = fields.byte(), fields.byte(), fields.byte(), fields.byte()
    content = fields.octets(fields.byte())
    assert (schedule, validity) == ("", "")
    # Kannel has the optional parameter more_messages_to_send behind
    assert body[fields.at : fields.at + 2] in (b"", bytes.fromhex("0426"))
    assert len(content) <= (140 if coding == 8 else 160)
    part = None
    if esm_class & 0x40:
        header, content = content[1 : 1 + content[0]], content[1 + content[0] :]
        assert header[:2] in (b"\0\3", b"\x08\4")
        part = (int.from_bytes(header[2:-2], "big"), header[-2], header[-1])
    ton_npi = cast("tuple[int, int, int, int]", tuple(numbers))
    return Submitted(source, destination, ton_npi, registered, coding, content, part)


if __name__ == "__main__":
    smsc = LoopbackSmsc(keep=False)
    print(smsc.port, flush=True)  # noqa: T201 - the port is its output
    sys.stdin.read()
    smsc.close()
