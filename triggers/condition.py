"""What a trigger's ``if`` may read: an event's row only where it is asked at that row's step alone."""

from __future__ import annotations

from rules.check import Checked, check_rule
from rules.error import RuleError
from rules.schema import Schema
from rules.scope import CUSTOMER, event_of
from triggers.shop_guards import QuietHours, ShopGuards
from triggers.trigger import Trigger


def quiet_hours_of(trigger: Trigger, guards: ShopGuards) -> QuietHours | None:
    """Return the quiet hours that stand against a trigger: its own, or of marketing the shop's (D5)."""
    shops = guards.quiet_hours if trigger.purpose == "marketing" else None
    return trigger.guards.quiet_hours or shops


def caps_of(name: str, trigger: Trigger, guards: ShopGuards) -> list[str]:
    """Return the caps that stand against a trigger and count it, of marketing only, in order (D5)."""
    return [
        called for called, cap in sorted(guards.caps.items())
        if trigger.purpose == "marketing"
        and (not cap.channels or trigger.action.channel in cap.channels)
        and (not cap.triggers or name in cap.triggers)
    ]  # fmt: skip


def check_condition(trigger: Trigger, condition: str, schema: Schema, guards: ShopGuards) -> Checked:
    """Check a trigger's ``if``. Raises RuleError."""
    event, quiet = trigger.when.event, quiet_hours_of(trigger, guards)
    if event is None or trigger.for_:
        return check_rule(condition, schema, CUSTOMER)
    checked = check_rule(condition, schema, event_of(event.source))
    if quiet is None or quiet.then == "drop":
        return checked
    try:
        return check_rule(condition, schema, CUSTOMER)
    except RuleError:
        raise RuleError(
            "'if' reads the row, and is asked again when quiet hours end",
            "put what the row must be into 'where', or let quiet hours drop",
        ) from None
