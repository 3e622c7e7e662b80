"""What an SMSC sends of its own accord: receipts, and messages that customers write."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from sinks.channels.provider import Receipt
from sinks.channels.smpp.pdu import (
    MESSAGE_STATE,
    PAYLOAD,
    RECEIPTED_ID,
    SAR_NUMBER,
    SAR_REFERENCE,
    SAR_TOTAL,
    Pdu,
    text_of,
)  # fmt: skip
from sinks.channels.sms_text import decode
from sinks.channels.unsubscribing import unsubscribes

State = Literal["delivered", "failed"]
# SMPP 3.4, section 5.2.12: bits 5 to 2 of esm_class
_TYPE, _RECEIPT, _INTERMEDIATE, _HEADER = 0x3C, 0x04, 0x20, 0x40
# SMPP 3.4, section 5.2.28
_STATES: dict[int, str] = {
    1: "ENROUTE", 2: "DELIVRD", 3: "EXPIRED", 4: "DELETED", 5: "UNDELIV", 6: "ACCEPTD", 7: "UNKNOWN",
    8: "REJECTD",
}  # fmt: skip
# By their first letters, since SMSCs write them at various lengths. Anything else is a failure: what is no
# state of SMPP is a network's own error, such as MK:0012.
_DELIVERED = "DELIV"
_NOT_FINAL = ("ENROU", "ACCEP", "UNKNO", "SCHED", "BUFFE")
# SMPP 3.4, appendix B; some leave fields out or write capitals
_FIELDS = re.compile(r"\b(id|done date|stat|err):\s*(\S+)", re.IGNORECASE)
_DATES = {10: "%y%m%d%H%M", 12: "%y%m%d%H%M%S", 14: "%Y%m%d%H%M%S"}
_HALVES = 10_000  # messages of customers that wait for further parts; those of an older one are dropped


def is_receipt(pdu: Pdu) -> bool:
    """Tell a receipt from a message: by esm_class, or by both optional parameters that only receipts have."""
    kind = int(getattr(pdu.body, "esm_class", 0) or 0) & _TYPE
    return kind in (_RECEIPT, _INTERMEDIATE) or {RECEIPTED_ID, MESSAGE_STATE} <= pdu.optional.keys()


def read_receipt(pdu: Pdu, zone: ZoneInfo) -> Receipt | None:
    """Return a receipt; None where it says nothing final, or names no message. zone: of its dates."""
    told = dict[str, str]()
    before_text = _bytes(pdu).decode("latin-1").partition(" text:")[0].partition(" Text:")[0]
    for name, value in _FIELDS.findall(before_text):
        told.setdefault(name.lower(), value)
    reference = text_of(pdu.optional.get(RECEIPTED_ID)) or told.get("id", "")
    state = told.get("stat", "").upper()
    if MESSAGE_STATE in pdu.optional:
        state = _STATES.get(int.from_bytes(pdu.optional[MESSAGE_STATE], "big"), "UNKNOWN")
    if not reference or not state or state[:5] in _NOT_FINAL:
        return None
    delivered = state.startswith(_DELIVERED)
    error = told.get("err", "")
    return Receipt(
        reference, "delivered" if delivered else "failed", _seconds(told.get("done date", ""), zone),
        code=error, reason="" if delivered else state,
    )  # fmt: skip


def _seconds(date: str, zone: ZoneInfo) -> float | None:
    try:
        return datetime.strptime(date, _DATES[len(date)]).replace(tzinfo=zone).timestamp()
    except (KeyError, ValueError):
        return None


@dataclass(frozen=True)
class _Part:
    key: tuple[str, int, int]  # address, reference, total
    number: int
    content: bytes


class Written:
    """Messages of customers, whose parts are put together as they come."""

    def __init__(self) -> None:
        self._halves: dict[tuple[str, int, int], dict[int, bytes]] = {}
        # of the last that was whole: its key, its parts, and the number of the one by which it was
        self._last: tuple[tuple[str, int, int], dict[int, bytes], int] | None = None

    def read(self, pdu: Pdu) -> Receipt | None:
        """Return what a customer wrote; None while parts are missing. Where it cannot be handed on, call
        `put_back`."""
        address = text_of(getattr(pdu.body, "source_addr", None))
        part = _part(pdu, address)
        content, self._last = part.content, None
        if part.key[2] > 1:
            parts = self._halves.setdefault(part.key, {})
            parts[part.number] = content
            if len(parts) < part.key[2]:
                if len(self._halves) > _HALVES:
                    del self._halves[next(iter(self._halves))]
                return None
            self._last = part.key, self._halves.pop(part.key), part.number
            content = b"".join(parts[number] for number in sorted(parts))
        text = _decoded(content, int(getattr(pdu.body, "data_coding", 0) or 0))
        return Receipt(None, "unsubscribed" if unsubscribes(text) else "replied", address=address, text=text)

    def put_back(self) -> None:
        """Keep the parts of what was read last but for the one that came last: it is not acknowledged, so the
        SMSC sends it again, and no other."""
        if self._last is not None:
            key, parts, number = self._last
            del parts[number]
            self._halves[key], self._last = parts, None


def _part(pdu: Pdu, address: str) -> _Part:
    """Tell which part of which message this is, by its header or by the optional parameters ``sar_``."""
    content = _bytes(pdu)
    reference, total, number = 0, 1, 1
    if int(getattr(pdu.body, "esm_class", 0) or 0) & _HEADER and content:
        header, content = content[1 : 1 + content[0]], content[1 + content[0] :]
        while len(header) >= 2:
            element, value, header = header[0], header[2 : 2 + header[1]], header[2 + header[1] :]
            if (element, len(value)) in ((0x00, 3), (0x08, 4)):
                reference, total, number = int.from_bytes(value[:-2], "big"), value[-2], value[-1]
    elif {SAR_REFERENCE, SAR_TOTAL, SAR_NUMBER} <= pdu.optional.keys():
        reference, total, number = (
            int.from_bytes(pdu.optional[tag], "big") for tag in (SAR_REFERENCE, SAR_TOTAL, SAR_NUMBER)
        )
    if not 1 <= number <= total:
        total = 1
    return _Part((address, reference, total), number, content)


def _bytes(pdu: Pdu) -> bytes:
    content = getattr(pdu.body, "short_message", None) or pdu.optional.get(PAYLOAD, b"")
    return bytes(content)


def _decoded(content: bytes, coding: int) -> str:
    """Return the text by data_coding (SMPP 3.4, section 5.2.19)."""
    if coding == 8:
        return decode(content, "ucs2")
    if coding == 3:
        return content.decode("latin-1")
    return content.decode("ascii", "replace") if coding == 1 else decode(content, "gsm")
