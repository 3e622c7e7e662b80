"""Values that Debezium could not read: PostgreSQL's unchanged TOAST columns, Oracle's unchanged LOBs.

Their placeholder takes the form of the column's type (``UnchangedToastedPlaceholder`` of Debezium's
PostgreSQL connector). ``unavailable.value.placeholder`` must keep its default.
"""

from __future__ import annotations

import base64
import hashlib
import uuid
from typing import Any

PLACEHOLDER = "__debezium_unavailable_value"
PLACEHOLDER_BYTES = base64.b64encode(PLACEHOLDER.encode()).decode()
# Java's UUID.nameUUIDFromBytes: MD5 of the bytes alone, version 3.
_UUID = str(uuid.UUID(bytes=hashlib.md5(PLACEHOLDER.encode(), usedforsecurity=False).digest(), version=3))
_ARRAYS = ([PLACEHOLDER], [PLACEHOLDER_BYTES], [_UUID], list(PLACEHOLDER.encode()))
_HSTORE = f'{{"{PLACEHOLDER}":"{PLACEHOLDER}"}}'
# as text, as bytes, as bytes with binary.handling.mode=hex, as hstore
TEXTS = frozenset((PLACEHOLDER, PLACEHOLDER_BYTES, PLACEHOLDER.encode().hex(), _HSTORE))
_GEOMETRIES = frozenset(
    base64.b64encode(bytes.fromhex(point)).decode()
    for point in (
        "0101000020E6100000000000FC83D797C1000000FC83D797C1",
        "0101000020E61000000C21E7FDFF7F66401842CEFBFF7F5640",
    )
)


def is_unavailable(value: Any) -> bool:
    """Say whether a nested value is a placeholder (texts: look into ``TEXTS``).

    >>> is_unavailable(["__debezium_unavailable_value"]), is_unavailable(["b"])
    (True, False)
    """
    kind = type(value)
    if kind is list:
        return value in _ARRAYS
    if kind is dict:
        return value == {PLACEHOLDER: PLACEHOLDER} or str(value.get("wkb")) in _GEOMETRIES
    return False
