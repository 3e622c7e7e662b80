"""A value of a rule while it is being checked."""

from __future__ import annotations

from dataclasses import dataclass

from rules.meaning import Meaning
from rules.rfm_plan import RfmPlan
from rules.syntax import Span
from rules.types import Type


@dataclass(frozen=True)
class Typed:
    """A value with its type and place. Of an average or a recency, the meaning is whether it is known;
    a recency has the ``plan`` of its model.
    """

    meaning: Meaning
    type: Type
    span: Span
    plan: RfmPlan | None = None
