"""How people name a customer: by any reference, or by the id."""

from __future__ import annotations

import re

_ID = re.compile(r"[0-9a-f]{32}")


def is_id(text: str) -> bool:
    """Say whether a text is a customer's id, 32 hex digits."""
    return _ID.fullmatch(text) is not None


def is_customer_name(text: str) -> bool:
    """Say whether a text has the form of a customer's name: ``type:value``, or an id.

    >>> is_customer_name("member:M1"), is_customer_name("M1")
    (True, False)
    """
    return ":" in text or is_id(text)
