"""The plan of guards: hold-outs, quiet hours and their zones, caps, and what switches stop (semantics D5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from profiles.windows import parse_length
from rules.error import RuleError
from rules.metric import MetricSpec
from triggers.condition import caps_of, quiet_hours_of
from triggers.hold_out import salt_of
from triggers.shop_guards import ShopGuards
from triggers.trigger import Trigger
from triggers.zones import offsets

Columns = dict[str, list[int]]
MOST_CAPS = 60  # bits of trigger_caps


@dataclass(frozen=True)
class GuardPlan:
    """Guards of a shop's triggers. zone: the shop's; zone_spec: the metric of a customer's zone, or None."""

    declared: ShopGuards
    zone: str
    zone_spec: MetricSpec | None

    @staticmethod
    def of(guards: ShopGuards, zone: str, attributes: Mapping[str, MetricSpec]) -> GuardPlan:
        """Return the plan; attributes: name to metric. Raises RuleError."""
        if len(guards.caps) > MOST_CAPS:
            raise RuleError(f"there are {len(guards.caps)} caps", f"{MOST_CAPS} are the most")
        name = guards.zone.removeprefix("customer.")
        if guards.zone and name not in attributes:
            raise RuleError(f"there is no attribute '{name}'", "name an attribute of a source: customer.NAME")
        return GuardPlan(guards, zone, attributes[name] if guards.zone else None)

    @property
    def caps(self) -> list[str]:
        """The caps by number."""
        return sorted(self.declared.caps)

    def specs(self) -> list[MetricSpec]:
        """Return the metrics that guards read."""
        return [self.zone_spec] if self.zone_spec else []

    def salt(self, trigger: str) -> int:
        """Return what tells a trigger from others in hold-outs."""
        return salt_of("hold_out", self.declared.salt, "trigger", trigger)

    @staticmethod
    def mark(trigger: str) -> int:
        """Return what tells a trigger from others in slots of caps: whatever the shop's settings, since a
        receipt comes under other ones than its decision."""
        return salt_of("cap", "trigger", trigger)

    def switches(self, triggers: Mapping[str, Trigger]) -> dict[str, int]:
        """Return what a switch names -> its place: "" everything, channel/NAME, trigger/NAME."""
        channels = sorted({trigger.action.channel for trigger in triggers.values()})
        named = [f"channel/{name}" for name in channels] + [f"trigger/{name}" for name in sorted(triggers)]
        return {"": 0, **{name: 1 + i for i, name in enumerate(named)}}

    def columns(
        self, names: Sequence[str], triggers: Mapping[str, Trigger], text: Callable[[str], int]
    ) -> Columns:
        """Return the plan columns; names: the triggers by number; text: a text's code."""
        switches = self.switches(triggers)
        out: Columns = {name: [] for name in _BY_TRIGGER}
        for name in names:
            trigger = triggers[name]
            shops = trigger.purpose == "marketing"
            out["trigger_channel"].append(switches[f"channel/{trigger.action.channel}"])
            out["trigger_switch"].append(switches[f"trigger/{name}"])
            out["trigger_shadow"].append(int(trigger.status == "shadow"))
            out["trigger_once"].append(int(trigger.guards.once))
            out["trigger_hold_out"].append(trigger.guards.hold_out)
            out["trigger_salt"].append(self.salt(name))
            out["trigger_mark"].append(self.mark(name))
            out["shop_hold_out"].append(self.declared.hold_out if shops else 0)
            out["trigger_caps"].append(self._caps_of(name, trigger))
            quiet = quiet_hours_of(trigger, self.declared)
            out["quiet_from"].append(minute_of(quiet.from_) if quiet else -1)
            out["quiet_until"].append(minute_of(quiet.until) if quiet else -1)
            out["quiet_hold"].append(int(quiet is not None and quiet.then == "hold"))
        caps = [self.declared.caps[name] for name in self.caps]
        out["cap_most"] = [cap.most for cap in caps]
        out["cap_within"] = [parse_length(cap.within) for cap in caps]
        out["shop_salt"] = [salt_of("hold_out", self.declared.salt)]
        are_asked = any(first >= 0 for first in out["quiet_from"])
        return out | self._zones(text, are_asked)

    def _caps_of(self, name: str, trigger: Trigger) -> int:
        standing = caps_of(name, trigger, self.declared)
        return sum(1 << i for i, cap in enumerate(self.caps) if cap in standing)

    def _zones(self, text: Callable[[str], int], are_asked: bool) -> Columns:
        """Return the tables of zones; empty ones where no quiet hours ask: they take a while to make."""
        out: Columns = {"zone_code": [-1], "zone_first": [], "zone_start": [], "zone_offset": []}
        others = sorted(set(self.declared.zones)) if self.zone_spec else []
        out["zone_code"] += [text(zone) for zone in others]
        for zone in [self.zone, *others]:
            out["zone_first"].append(len(out["zone_start"]))
            for start, offset in offsets(zone) if are_asked else ():
                out["zone_start"].append(start)
                out["zone_offset"].append(offset)
        out["zone_first"].append(len(out["zone_start"]))
        return out


def minute_of(text: str) -> int:
    """Return the minute of the day of HH:MM.

    >>> minute_of("08:30")
    510
    """
    hour, minute = text.split(":")
    return int(hour) * 60 + int(minute)


_BY_TRIGGER = (
    "trigger_channel", "trigger_switch", "trigger_shadow", "trigger_once", "trigger_hold_out", "trigger_salt",
    "trigger_mark", "shop_hold_out", "trigger_caps", "quiet_from", "quiet_until", "quiet_hold",
)  # fmt: skip
