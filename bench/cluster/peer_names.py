"""What the peers' topics and keys are called."""

from __future__ import annotations

TABLES = ("orders", "refunds", "tickets", "views")


def topic(shop: str, table: str) -> str:
    """Return the topic of a table's rows."""
    return f"{shop}.peer.{table}"


def document_key(shop: str, member: str) -> str:
    """Return where a customer's document is in the store."""
    return f"peer:{shop}:{member}"


def taken_key(shop: str) -> str:
    """Return where a peer says how many rows are in the documents."""
    return f"peer:{shop}:taken"
