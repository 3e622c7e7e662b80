"""What customers answer to messages: whoever unsubscribes has withdrawn consent, by a record of the log."""

from __future__ import annotations

from app.service import Service
from app.shop import Shop
from sinks.channels.provider import Receipt
from streams.control import consent
from streams.live import append_controls
from streams.log.log import Log
from streams.personal.find import customers_behind

MARKETING = "marketing"


def note_answer(service: Service, channel: str, receipt: Receipt, customer: str | None) -> None:
    """Hand an answer to the thread that writes the log; it is in force when that comes to it.

    customer: id of 32 hex digits, None where the answer names no message: then the address tells. A reply
    changes nothing here.
    """
    if receipt.state == "unsubscribed":
        service.change(lambda log, shop, minute: unsubscribe(log, shop, minute, channel, receipt, customer))


def unsubscribe(
    log: Log, shop: Shop, minute: int, channel: str, receipt: Receipt, customer: str | None
) -> bool:
    """Write that a customer's consent to marketing by a channel is withdrawn; return whether one is known."""
    whom = bytes.fromhex(customer) if customer else _behind(log, shop, channel, receipt.address)
    if whom is None:
        return False
    append_controls(log, [consent(whom, channel, MARKETING, False)], minute)
    return True


def _behind(log: Log, shop: Shop, channel: str, address: str) -> bytes | None:
    kind = shop.channels[channel].address
    if not kind or not address:
        return None
    reference = f"{kind}:{address}"
    return customers_behind(log, [reference]).get(reference)
