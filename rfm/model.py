"""What an RFM model is: three measures over one window, cut into scores, named by segments."""

from __future__ import annotations

import hashlib
import json
from typing import Literal

from pydantic import Field

from profiles.declare import Declared

VALUE_GROUPS = {
    "HHH": "重要价值",
    "HLH": "重要发展",
    "LHH": "重要保持",
    "LLH": "重要挽留",
    "HHL": "一般价值",
    "HLL": "一般发展",
    "LHL": "一般保持",
    "LLL": "一般挽留",
}  # semantics R4: high or low recency, frequency, monetary


class Segment(Declared):
    """A named range of scores, both ends inclusive; the first that fits wins."""

    name: str
    r: tuple[int, int]
    f: tuple[int, int]
    m: tuple[int, int]


class FixedCuts(Declared):
    """Given cut points of method ``fixed``: a value exceeds a cut when it is greater (R3, R4).

    Recency in the model's own unit, monetary in minor units.
    """

    recency: list[int]
    frequency: list[int]
    monetary: list[int]


class RfmModel(Declared):
    """An RFM model (semantics R1 to R5).

    ``frequency`` is a ``count`` or ``distinct`` metric without a window, such as
    ``count(orders, status != "cancelled")``; recency is the last event minute of the very rows it
    counts. ``monetary`` is a ``sum`` or sums joined by + and -, without windows. All use ``window``.
    """

    name: str = "rfm"
    window: str = "all"
    frequency: str
    monetary: str
    refund_at: Literal["event", "order"] = Field(
        default="event",
        description="order: what monetary subtracts must be of sources that their parent's row dates",
    )
    recency_unit: Literal["minute", "day"] = "minute"
    method: Literal["quantiles", "fixed", "mean"] = "quantiles"
    bins: int = Field(default=5, ge=2, le=10)
    fixed: FixedCuts | None = None
    segments: list[Segment] = Field(
        default=[], description="ordered; method mean has the eight value groups when empty"
    )
    otherwise: str = "Others"

    @property
    def version(self) -> str:
        """The name of what the model's cut points rest on: 12 hex digits of SHA-256 of those declarations.

        Segments only name scores: whoever renames one keeps the cut points.
        """
        kept = self.model_dump(mode="json", exclude={"segments", "otherwise"})
        text = json.dumps(kept, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:12]
