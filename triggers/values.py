"""The values that go with a trigger's action, as they were at the decision's step (semantics G5)."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from rules.check import check_value
from rules.fold import Value, fold
from rules.schema import Schema
from rules.scope import CUSTOMER, event_of
from triggers.trigger import Trigger


def action_values(trigger: Trigger, schema: Schema, carried: Mapping[str, Value]) -> dict[str, Value]:
    """Return the action's values by name; null where nothing is known.

    carried: the values of a decision of this trigger, metric text -> whole number (in the column's own
    units) or text. What a decision under other settings does not carry is left out.
    """
    scope = event_of(trigger.when.event.source) if trigger.when.event else CUSTOMER
    found: dict[str, Value] = {}
    for name, text in trigger.action.values.items():
        meaning = check_value(text, schema, scope).meaning
        with contextlib.suppress(KeyError):
            found[name] = fold(meaning, carried)
    return found
