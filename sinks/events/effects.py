"""Decisions, and changes of tags and segments, as events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sinks.events.envelope import Envelope, minute_text, source_of


def event_of_effect(effect: Mapping[str, Any], partition: int, shop: str) -> Envelope:
    """Return the event of an effect (`engine.outcome.Transition` or `Decision`, as JSON's types).

    Its id is the effect's place, PARTITION-SEQ, which is one effect's alone: a decision and what contradicts
    it have one decision id (D3), and a transition has none. Its time is the effect's minute.
    """
    kind = f"decision.{effect['outcome']}" if "trigger" in effect else f"tag-change.{effect['change']}"
    return Envelope(
        f"{partition}-{effect['seq']}", source_of(shop), f"tintype.{kind}", effect["customer"],
        minute_text(effect["minute"]), {**effect, "partition": partition},
    )  # fmt: skip
