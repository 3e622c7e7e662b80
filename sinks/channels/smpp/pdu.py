"""SMPP 3.4 on the wire: PDUs as smpplib encodes and decodes them, and how a stream of bytes falls into PDUs.

smpplib's client blocks and is not used. Optional parameters (TLVs) are read here: smpplib raises for those
that a command does not have by its list, which gateways send all the same; section 3.3 has them ignored.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from smpplib import command, consts
from smpplib.command_codes import commands

HEADER_BYTES = 16
# The longest PDU of SMPP 3.4 is a deliver_sm with a message_payload of 64 KiB; what claims more is no SMPP.
MOST_BYTES = 70_000
NAMES: dict[int, str] = {code: name for name, code in commands.items()}
RESPONSE = 0x80000000

# optional parameters, SMPP 3.4, section 5.3.2
SAR_REFERENCE, SAR_TOTAL, SAR_NUMBER = 0x020C, 0x020E, 0x020F
RECEIPTED_ID, MESSAGE_STATE, PAYLOAD = 0x001E, 0x0427, 0x0424


class MalformedPdu(Exception):
    """Bytes that are no PDU. status: what a generic_nack says of them; sequence: of the PDU, 0 if unknown."""

    def __init__(self, problem: str, status: int, sequence: int, is_response: bool = False) -> None:
        super().__init__(problem)
        self.status, self.sequence, self.is_response = status, sequence, is_response


@dataclass(frozen=True)
class Pdu:
    """What has come. body: smpplib's command with its mandatory fields; None where there are none to read."""

    name: str
    status: int
    sequence: int
    body: command.Command | None = None
    optional: dict[int, bytes] = field(default_factory=dict)


class _Submit(command.SubmitSM):  # type: ignore[misc]  # smpplib has no types
    """A submit_sm without optional parameters: smpplib takes five times as long to find that none is set."""

    params_order = command.SubmitSM.params_order[:18]


class _Numbered:
    """What smpplib asks for numbers: a PDU's is set behind its making."""

    sequence = 0

    def next_sequence(self) -> int:
        return 0


_NUMBERED = _Numbered()


def submit_pdu() -> command.Command:
    """Return a submit_sm whose fields are to be set; it can be used again and again."""
    return _Submit("submit_sm", client=_NUMBERED)


def pack(made: command.Command, sequence: int) -> bytes:
    """Return the bytes of a PDU."""
    made.sequence = sequence
    packed: bytes = made.generate()
    return packed


def request(name: str, sequence: int, **fields: str | int | bytes) -> bytes:
    """Return the bytes of a bind, an unbind, an enquire_link or a deliver_sm."""
    return pack(command.factory(name, client=_NUMBERED, **fields), sequence)


def response(name: str, sequence: int, status: int = consts.SMPP_ESME_ROK) -> bytes:
    """Return the bytes of an answer: ``deliver_sm_resp``, ``enquire_link_resp``, ``generic_nack`` ..."""
    # SMPP 3.4, section 4.6.2: message_id of a deliver_sm_resp is one NULL octet
    body = b"\0" if name in ("deliver_sm_resp", "data_sm_resp") else b""
    return struct.pack(">LLLL", HEADER_BYTES + len(body), commands[name], status, sequence) + body


def split(buffer: bytearray) -> Iterator[bytes]:
    """Take whole PDUs off the front of what has come; what is left stays. Raises MalformedPdu."""
    start = 0
    try:
        while len(buffer) - start >= 4:
            length = int.from_bytes(buffer[start : start + 4], "big")
            if not HEADER_BYTES <= length <= MOST_BYTES:
                raise MalformedPdu(f"a PDU of {length} bytes", consts.SMPP_ESME_RINVCMDLEN, 0)
            if len(buffer) - start < length:
                break
            start += length
            yield bytes(buffer[start - length : start])
    finally:
        del buffer[:start]


def parse(data: bytes) -> Pdu:
    """Return a PDU's content. Raises MalformedPdu."""
    _, code, status, sequence = struct.unpack_from(">LLLL", data)
    name = NAMES.get(code)
    if name is None:
        raise MalformedPdu(
            f"command 0x{code:08x}", consts.SMPP_ESME_RINVCMDID, sequence, bool(code & RESPONSE)
        )
    if len(data) == HEADER_BYTES or name not in _READ:
        return Pdu(name, status, sequence)
    optional: dict[int, bytes] = {}
    body = _READ[name](name, client=_NUMBERED)
    body.parse_optional_params = lambda rest: optional.update(_optional(rest))
    try:
        body.parse(data)
    except (struct.error, ValueError, TypeError) as error:
        problem = f"a {name} that ends early ({error})"
        status = consts.SMPP_ESME_RINVMSGLEN
        raise MalformedPdu(problem, status, sequence, bool(code & RESPONSE)) from None
    return Pdu(name, status, sequence, body, optional)


_READ: dict[str, type[command.Command]] = {
    "bind_transceiver": command.BindTransceiver,  # this and the next: of the SMSC's side, which the demo has
    "submit_sm": command.SubmitSM,
    "submit_sm_resp": command.SubmitSMResp,
    "deliver_sm": command.DeliverSM,
    "data_sm": command.DataSM,
}


def _optional(data: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    at = 0
    while at + 4 <= len(data):
        tag, length = struct.unpack_from(">HH", data, at)
        value = data[at + 4 : at + 4 + length]
        if len(value) < length:
            raise ValueError(f"optional parameter 0x{tag:04x} ends early")
        found[tag] = value
        at += 4 + length
    return found


def text_of(value: bytes | str | None) -> str:
    """Return a text field; smpplib gives bytes, and None where a PDU ended before it."""
    return value.split(b"\0", 1)[0].decode("ascii", "replace") if isinstance(value, bytes) else value or ""
