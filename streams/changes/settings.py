"""The topic of settings: the newest says what is in force, or about to be, in every partition."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Applied:
    """Settings as they were applied. shop: the declarations as canonical JSON; number: counts up from 1.

    past: of each trigger, behind these settings: `triggers.past.Past` as JSON.
    """

    number: int
    shop: str
    past: Mapping[str, Any] = field(default_factory=dict)

    def encoded(self) -> bytes:
        """Return it as bytes."""
        said = {"number": self.number, "shop": self.shop, "past": self.past}
        return json.dumps(said, ensure_ascii=False).encode()

    @staticmethod
    def decoded(raw: bytes) -> Applied:
        """Return what `encoded` made bytes of."""
        said = json.loads(raw)
        return Applied(said["number"], said["shop"], said.get("past", {}))
