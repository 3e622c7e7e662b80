"""What messages need of a customer of an embedded shop: an address, and readable values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.shop import Shop
from sinks.channels.courier import of_type
from streams.log.log import Log
from streams.personal.attributes import opened_values, personal_metrics
from streams.personal.find import references_of


def address_of(log: Log, customer: str, kind: str) -> str | None:
    """Return a customer's reference of a type, any when empty; None where there is none, or no customer."""
    return of_type(references_of(log, bytes.fromhex(customer)), kind)


def readable_of(log: Log, shop: Shop, customer: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the values of a decision with those of personal attributes readable."""
    return opened_values(log.vault, personal_metrics(shop.sources), bytes.fromhex(customer), values)
