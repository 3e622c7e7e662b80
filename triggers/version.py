"""What tells one version of a trigger from another: by all that it says (D2), or by what it does (D6)."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from triggers.trigger import Trigger

# Keys that came later, with what they mean when absent: no part of a version, so that ids of decisions stay.
FORMER: dict[str, object] = {"purpose": "marketing", "priority": 0}
FORMER_ACTION: dict[str, object] = {"coupon": ""}
FORMER_SCHEDULE: dict[str, object] = {"on": []}
FORMER_GUARDS: dict[str, object] = {"once": False, "hold_out": 0, "quiet_hours": None}
FOR_PEOPLE = ("name", "title", "owner", "description", "status")  # say nothing of whom it reaches, or how


def version_of(trigger: Trigger) -> str:
    """Return a trigger's version: 12 hex digits of a hash of its declaration (D2)."""
    return _hash(_said(trigger))


def rule_of(trigger: Trigger) -> str:
    """Return the version of a trigger's rule: of what it decides by and does, whatever its status and its
    words for people (D6).

    >>> live = Trigger.model_validate({"when": {"enter": "vip"}, "action": {"channel": "sms"}})
    >>> rule_of(live) == rule_of(live.model_copy(update={"status": "shadow"}))
    True
    """
    said = _said(trigger)
    for key in FOR_PEOPLE:
        del said[key]
    return _hash(said)


def _said(trigger: Trigger) -> dict[str, Any]:
    said = trigger.model_dump(mode="json", by_alias=True)
    del said["guards"]["forecast"]  # it decides nothing, and may be raised when it was too low
    del said["goal"]  # it is counted afterwards
    del said["action"]["pace"]  # nor does it: a broadcast that is under way may be given another
    for part, former in (
        (said, FORMER), (said["guards"], FORMER_GUARDS), (said["action"], FORMER_ACTION),
        (said["when"]["schedule"], FORMER_SCHEDULE),
    ):  # fmt: skip
        for key, value in former.items() if part is not None else ():
            if part[key] == value:
                del part[key]
    return said


def _hash(said: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:12]
