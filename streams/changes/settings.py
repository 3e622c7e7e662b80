"""The topic of settings: the newest says what is in force, or about to be, in every partition."""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True)
class Applied:
    """Settings as they were applied. shop: the declarations as canonical JSON; number: counts up from 1."""

    number: int
    shop: str

    def encoded(self) -> bytes:
        """Return it as bytes."""
        return json.dumps({"number": self.number, "shop": self.shop}, ensure_ascii=False).encode()

    @staticmethod
    def decoded(raw: bytes) -> Applied:
        """Return what `encoded` made bytes of."""
        said = json.loads(raw)
        return Applied(said["number"], said["shop"])
