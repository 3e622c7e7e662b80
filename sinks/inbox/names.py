"""What the keys of inboxes are called in the store."""

from __future__ import annotations

from streams.identity.partition import partition_of_customer


def inbox_key(shop: str, partitions: int, customer: bytes) -> str:
    """Return the key of a customer's inbox (id of 16 bytes); its braces are those of the customer's profile.

    >>> inbox_key("tea", 1, bytes(16))
    'tintype:{tea/0}:inbox:00000000000000000000000000000000'
    """
    return f"tintype:{{{shop}/{partition_of_customer(customer, partitions)}}}:inbox:{customer.hex()}"


def news_channel(shop: str) -> str:
    """Return the channel on which the ids of customers are told whose inbox has changed.

    >>> news_channel("tea")
    'tintype:tea:inbox'
    """
    return f"tintype:{shop}:inbox"
