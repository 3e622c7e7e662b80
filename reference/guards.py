"""Guards read a second time (semantics D5): decisions that came out are counted over again, one by one.

For each decision the guards are asked in their order, from nothing but the declarations, the control records
and the decisions before it. Written without `triggers.guards`, `triggers.caps`, `triggers.quiet` on purpose.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import pandas as pd
import xxhash

from profiles.windows import parse_length
from triggers.shop_guards import QuietHours, ShopGuards
from triggers.trigger import Trigger

UNSEEN = ("late", "source_stale", "if")  # what they rest on is not in decisions and control records
ORDER = (
    "late", "source_stale", "consent", "kill_switch", "if", "hold_out", "quiet_hours", "cool_down", "once",
    "cap",
)  # fmt: skip


class Made(Protocol):
    """A decision, as `engine.outcome.Decision` has it."""

    @property
    def id(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def step(self) -> int: ...
    @property
    def minute(self) -> int: ...
    @property
    def customer(self) -> str: ...
    @property
    def trigger(self) -> str: ...
    @property
    def outcome(self) -> str: ...
    @property
    def guard(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def seq(self) -> int: ...


@dataclass
class Recount:
    """One shop's decisions counted over, in the order of `seq` in each partition.

    zone: the shop's; customers' own zones are asked of ``zone_of`` (a customer's id -> zone, or None).
    """

    triggers: Mapping[str, Trigger]
    guards: ShopGuards
    zone: str
    zone_of: Mapping[str, str] = field(default_factory=dict)
    # trigger, customer, shadow -> minute; customer -> minute, id, trigger; customer, name -> granted, until
    _acted: dict[tuple[str, str, bool], int] = field(default_factory=dict)
    _slots: dict[str, list[tuple[int, str, str]]] = field(default_factory=dict)
    _consents: dict[tuple[str, str], tuple[bool, int | None]] = field(default_factory=dict)
    _off: dict[tuple[int, str], bool] = field(default_factory=dict)  # partition, what

    def violations(self, decisions: Sequence[Made], control: pd.DataFrame) -> list[str]:
        """Return what contradicts D5, in words; nothing where all is well.

        control: the log's control records: partition, step, kind, customer, body.
        """
        return list(self._walk(decisions, control))

    def _walk(self, decisions: Sequence[Made], control: pd.DataFrame) -> Iterator[str]:
        said = control[control["kind"].isin(("consent", "switch", "receipt", "erase"))]
        records = sorted(said.itertuples(index=False), key=lambda one: (int(one.partition), int(one.step)))  # type: ignore[arg-type]  # pandas types cells as anything
        for partition in sorted({one.partition for one in decisions}):
            own = [one for one in records if one.partition == partition]
            at = 0
            for one in sorted((d for d in decisions if d.partition == partition), key=lambda d: d.seq):
                while at < len(own) and int(own[at].step) <= one.step:  # type: ignore[arg-type]  # as above
                    self._take(own[at])
                    at += 1
                if one.outcome != "contradicted":
                    yield from self._check(one)

    def _take(self, record: Any) -> None:
        body = json.loads(record.body) if record.kind != "erase" else {}
        if record.kind == "consent":
            name = f"{body['channel']}/{body['purpose']}"
            self._consents[record.customer, name] = (bool(body["granted"]), body["until"])
        elif record.kind == "switch":
            self._off[int(record.partition), body["what"]] = bool(body["off"])
        elif record.kind == "receipt" and body["state"] in ("failed", "expired"):
            held = self._slots.get(record.customer, [])
            self._slots[record.customer] = [
                one for one in held if one[:2] != (body["minute"], body["decision"])
            ]
        elif record.kind == "erase":
            self._slots.pop(record.customer, None)
            self._acted = {key: at for key, at in self._acted.items() if key[1] != record.customer}
            self._consents = {key: said for key, said in self._consents.items() if key[0] != record.customer}

    def _check(self, one: Made) -> Iterator[str]:
        refusing = [guard for guard in ORDER if guard not in UNSEEN and self._refuses(guard, one)]
        first = refusing[0] if refusing else ""
        named = one.guard
        where = f"decision {one.id} of {one.trigger} for {one.customer} at minute {one.minute}"
        if named in UNSEEN:
            before = [guard for guard in refusing if ORDER.index(guard) < ORDER.index(named)]
            if before:
                yield f"{where}: refused by {named}, but {before[0]} comes first"
        elif named != first:
            yield f"{where}: {one.outcome} by {named or 'nothing'}, but {first or 'nothing'} refuses"
        if one.outcome == "act":
            shadow = one.status == "shadow"
            self._acted[one.trigger, one.customer, shadow] = one.minute
            if not shadow:
                self._slots.setdefault(one.customer, []).append((one.minute, one.id, one.trigger))

    def _refuses(self, guard: str, one: Made) -> bool:
        trigger = self.triggers[one.trigger]
        marketing = trigger.purpose == "marketing"
        match guard:
            case "consent":
                return not self._is_granted(one, trigger.guards.consent)
            case "kill_switch":
                named = ("", f"channel/{trigger.action.channel}", f"trigger/{one.trigger}")
                return any(self._off.get((one.partition, what), False) for what in named)
            case "hold_out":
                own = self._bucket(one.customer, "trigger", one.trigger) < 100 * trigger.guards.hold_out
                return own or (marketing and self._bucket(one.customer) < 100 * self.guards.hold_out)
            case "quiet_hours":
                hours = trigger.guards.quiet_hours or (self.guards.quiet_hours if marketing else None)
                return hours is not None and self._is_quiet(hours, one)
            case "cool_down" | "once":
                kinds = (False, True) if one.status == "shadow" else (False,)
                acted = [self._acted.get((one.trigger, one.customer, kind), -1) for kind in kinds]
                last = max(acted) if max(acted) >= 0 else None
                length = trigger.guards.cool_down
                if guard == "once":
                    return trigger.guards.once and last is not None
                return last is not None and length is not None and one.minute < last + parse_length(length)
        return marketing and any(self._is_full(name, one) for name in self.guards.caps)

    def _is_granted(self, one: Made, consent: str | None) -> bool:
        if consent is None:
            return True
        granted, until = self._consents.get((one.customer, consent), (False, None))
        return granted and (until is None or one.minute < until)

    def _bucket(self, customer: str, *more: str) -> int:
        salt = xxhash.xxh3_64_intdigest("\x1f".join(("hold_out", self.guards.salt, *more)).encode()) // 2
        words = (salt, int(customer[:16], 16), int(customer[16:], 16))
        h = 1
        for word in words:
            for place in range(4):
                h = ((h ^ (word // 65536**place % 65536)) * 48271) % 2147483647
        return h % 10_000

    def _is_quiet(self, hours: QuietHours, one: Made) -> bool:
        zone = self.zone_of.get(one.customer)
        zone = zone if zone in self.guards.zones else self.zone
        local = datetime.fromtimestamp(one.minute * 60, UTC).astimezone(ZoneInfo(zone)).strftime("%H:%M")
        if hours.from_ < hours.until:
            return hours.from_ <= local < hours.until
        return not hours.until <= local < hours.from_

    def _is_full(self, name: str, one: Made) -> bool:
        cap = self.guards.caps[name]
        channel = self.triggers[one.trigger].action.channel
        if not _counts(cap.channels, channel) or not _counts(cap.triggers, one.trigger):
            return False
        counted = [
            minute for minute, _, trigger in self._slots.get(one.customer, [])
            if one.minute - parse_length(cap.within) < minute <= one.minute
            and self.triggers[trigger].purpose == "marketing"
            and _counts(cap.channels, self.triggers[trigger].action.channel)
            and _counts(cap.triggers, trigger)
        ]  # fmt: skip
        return len(counted) >= cap.most


def _counts(named: Sequence[str], name: str) -> bool:
    return not named or name in named
