"""What messages need of a customer of an embedded shop: an address, and readable values; and whose an address
is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.sending.answers import references_behind
from app.shop import Shop
from sinks.channels.courier import of_type
from streams.log.log import Log
from streams.personal.attributes import opened_values, personal_metrics
from streams.personal.find import customers_behind, references_of


def address_of(log: Log, customer: str, kind: str) -> str | None:
    """Return a customer's reference of a type, any when empty; None where there is none, or no customer."""
    return of_type(references_of(log, bytes.fromhex(customer)), kind)


def readable_of(log: Log, shop: Shop, customer: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the values of a decision with those of personal attributes readable."""
    return opened_values(log.vault, personal_metrics(shop.sources), bytes.fromhex(customer), values)


def customers_at(log: Log, shop: Shop, channel: str, address: str) -> list[str]:
    """Return the customers (32 hex digits) who are known by an address of a channel, however written."""
    found = customers_behind(log, references_behind(shop, channel, address))
    return sorted({one.hex() for one in found.values()})
