"""The code of a short link: which delivery it is of, signed, so that nobody can make or guess one.

A code has no address in it. Whoever follows it is led to where the template of the delivery leads, so a link
cannot be turned into one to somewhere else.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Iterable

_ID_BYTES = 6  # of the delivery's 16: enough to look it up by
_MAC_BYTES = 5  # over all 16
LENGTH = 15  # characters of a code
PATH = "/s/"

Shorten = Callable[[str], str]


def code_of(key: bytes, shop: str, delivery: str) -> str:
    """Return the code of a delivery (its id of 32 hex digits), 15 characters, the same every time.

    >>> code_of(b"k" * 32, "shop", "9d0c1f" + "0" * 26)
    'nQwfAAAAb1ntdDo'
    """
    raw = bytes.fromhex(delivery)
    return base64.urlsafe_b64encode(raw[:_ID_BYTES] + _mac(key, shop, raw)).decode().rstrip("=")


def begins(code: str) -> str | None:
    """Return what the delivery's id begins with (12 hex digits); None for what is no code."""
    try:
        raw = base64.b64decode(code + "=", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw[:_ID_BYTES].hex() if len(code) == LENGTH else None


def meant(key: bytes, shop: str, code: str, deliveries: Iterable[str]) -> str | None:
    """Return which of some deliveries a code is of; None where it is of none of them."""
    for one in deliveries:
        if hmac.compare_digest(code_of(key, shop, one).encode(), code.encode()):
            return one
    return None


def shortener(base: str, key: bytes, shop: str) -> Shorten:
    """Return what makes a short link of a delivery's id. base: as `[links] base` has it."""
    return lambda delivery: base.rstrip("/") + PATH + code_of(key, shop, delivery)


def _mac(key: bytes, shop: str, delivery: bytes) -> bytes:
    said = b"tintype short link 1\0" + shop.encode() + b"\0" + delivery
    return hmac.digest(key, said, hashlib.sha256)[:_MAC_BYTES]
