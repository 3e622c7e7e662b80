"""What the peer's topics and keys are called."""

from __future__ import annotations

TABLES = ("orders", "refunds", "tickets", "views")


def topic(shop: str, table: str) -> str:
    """Return the topic of a table's rows."""
    return f"{shop}.faust.{table}"


def document_key(shop: str, member: str) -> str:
    """Return where a customer's document is in the store."""
    return f"faust:{shop}:{member}"


def done_key(shop: str) -> str:
    """Return where the peer says what its rows have cost."""
    return f"faust:{shop}:done"
