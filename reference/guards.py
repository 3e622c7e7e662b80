"""Guards read a second time (semantics D5): decisions that came out are counted over again, one by one.

For each decision the guards are asked in their order, from nothing but the declarations, the control records
and the decisions before it. Written without `triggers.guards`, `triggers.caps`, `triggers.quiet` on purpose.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import pandas as pd
import xxhash

from profiles.windows import parse_length
from triggers.life import in_force
from triggers.shop_guards import QuietHours, ShopGuards
from triggers.trigger import Trigger

KINDS = ("settings", "consent", "switch", "receipt", "erase")  # of control records
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
class Tally:
    """Of one guard: how many decisions were asked about it, how many it kept from acting, how often that is
    not what the second reading says, and the first of these."""

    checked: int = 0
    refused: int = 0
    violated: int = 0
    first: str = ""


@dataclass(frozen=True)
class Declared:
    """What settings say of triggers and guards. zone: the shop's."""

    triggers: Mapping[str, Trigger]
    guards: ShopGuards
    zone: str


class Recount:
    """Decisions counted over. ``counted``: how many so far.

    declared: what holds before a partition's first settings record; read: what such a record's body
    declares. zone_of: a customer's id -> zone, where it is known; None: quiet hours of a shop whose customers
    have zones of their own are not counted over.
    """

    def __init__(
        self, declared: Declared, read: Callable[[str], Declared], zone_of: Mapping[str, str] | None = None
    ) -> None:
        self._declared, self._read, self._zone_of = declared, read, zone_of
        self._parts: dict[int, _Part] = {}
        self._tallies = {guard: Tally() for guard in ORDER}
        self.counted = 0

    def begin(self, control: pd.DataFrame) -> None:
        """Take a log's control records: partition, step, kind, customer, body. Before anything is checked."""
        said = control[control["kind"].isin(KINDS)].sort_values(["partition", "step"], kind="stable")
        for record in said.itertuples(index=False):
            number: Any = record.partition
            self._part(int(number)).left.append(record)

    def check(self, one: Made) -> list[str]:
        """Return what contradicts D5 in a decision, in words. A partition's come in the order of `seq`."""
        self.counted += 1
        part = self._part(one.partition)
        found = part.check(one)
        if one.outcome != "contradicted":
            for guard in ORDER:
                self._tallies[guard].checked += guard not in part.unseen
        if one.guard in self._tallies:
            self._tallies[one.guard].refused += 1
        for guard, said in found:
            tally = self._tallies[guard]
            tally.first = tally.first or said
            tally.violated += 1
        return [said for _, said in found]

    def guards(self) -> dict[str, Tally]:
        """Return the tally of each guard, in their order. Of those of which only the order is read a second
        time nothing is checked."""
        return dict(self._tallies)

    def violations(self, decisions: Sequence[Made], control: pd.DataFrame) -> list[str]:
        """Return what contradicts D5 in all decisions of a log."""
        self.begin(control)
        ordered = sorted(decisions, key=lambda one: (one.partition, one.seq))
        return [found for one in ordered for found in self.check(one)]

    def _part(self, number: int) -> _Part:
        return self._parts.setdefault(number, _Part(self._declared, self._read, self._zone_of))


@dataclass
class _Part:
    """One partition: the records that are left, and what those before its next decision have left behind."""

    declared: Declared
    read: Callable[[str], Declared]
    zone_of: Mapping[str, str] | None
    left: deque[Any] = field(default_factory=deque)
    # trigger, customer, shadow -> minute; customer, cap -> minute, id; customer, name -> granted, until
    acted: dict[tuple[str, str, bool], int] = field(default_factory=dict)
    slots: dict[tuple[str, str], list[tuple[int, str]]] = field(default_factory=dict)
    consents: dict[tuple[str, str], tuple[bool, int | None]] = field(default_factory=dict)
    off: dict[str, bool] = field(default_factory=dict)

    @property
    def unseen(self) -> tuple[str, ...]:
        """The guards of which only the order can be told."""
        own_zones = self.zone_of is None and self.declared.guards.zone
        return (*UNSEEN, "quiet_hours") if own_zones else UNSEEN

    def check(self, one: Made) -> list[tuple[str, str]]:
        """Return guards that are contradicted, and what it is, in words."""
        while self.left and (self.left[0].step, self.left[0].kind == "settings") < (one.step, True):
            self._take(self.left.popleft())
        if one.outcome == "contradicted":
            return []
        found = list(self._problems(one))
        if found and self.left and self.left[0].step == one.step:
            # the settings' own step: what its minute's opening sets off goes by the former ones, the rest not
            self._take(self.left.popleft())
            found = list(self._problems(one))
        if one.outcome == "act":
            self._note(one)
        return found

    def _take(self, record: Any) -> None:
        if record.kind == "settings":
            self._declare(self.read(record.body))
        elif record.kind == "erase":
            self._forget(record.customer)
        else:
            self._take_said(record.kind, record.customer, json.loads(record.body))

    def _take_said(self, kind: str, customer: str, body: Mapping[str, Any]) -> None:
        if kind == "consent":
            self.consents[customer, f"{body['channel']}/{body['purpose']}"] = (
                bool(body["granted"]), body["until"]
            )  # fmt: skip
        elif kind == "switch":
            self.off[body["what"]] = bool(body["off"])
        elif body["state"] in ("failed", "expired"):
            given = (body["minute"], body["decision"])
            for cap in self.declared.guards.caps:
                held = self.slots.get((customer, cap), [])
                self.slots[customer, cap] = [slot for slot in held if slot != given]

    def _forget(self, customer: str) -> None:
        self.acted = {key: at for key, at in self.acted.items() if key[1] != customer}
        self.slots = {key: held for key, held in self.slots.items() if key[0] != customer}
        self.consents = {key: said for key, said in self.consents.items() if key[0] != customer}

    def _declare(self, new: Declared) -> None:
        """New settings: cool-downs go on where the condition is unchanged, slots by their cap's name (G4)."""
        old, self.declared = self.declared, new
        before, after = in_force(old.triggers), in_force(new.triggers)
        same = {
            name for name, one in after.items()
            if name in before and _condition(one) == _condition(before[name])
        }  # fmt: skip
        shadow = {name for name in same if new.triggers[name].status == "shadow"}
        self.acted = {
            key: at for key, at in self.acted.items() if key[0] in same and (not key[2] or key[0] in shadow)
        }
        self.slots = {key: held for key, held in self.slots.items() if key[1] in new.guards.caps}

    def _problems(self, one: Made) -> Iterator[tuple[str, str]]:
        where = f"decision {one.id} of {one.trigger} for {one.customer} at minute {one.minute}"
        if one.trigger not in self.declared.triggers:
            yield one.guard or "if", f"{where}: there is no such trigger"
            return
        unseen = self.unseen
        refusing = [guard for guard in ORDER if guard not in unseen and self._refuses(guard, one)]
        first = refusing[0] if refusing else ""
        if one.guard in unseen:
            before = [guard for guard in refusing if ORDER.index(guard) < ORDER.index(one.guard)]
            if before:
                yield before[0], f"{where}: refused by {one.guard}, but {before[0]} comes first"
        elif one.guard != first:
            said = f"{where}: {one.outcome} by {one.guard or 'nothing'}, but {first or 'nothing'} refuses"
            yield first or one.guard, said

    def _note(self, one: Made) -> None:
        trigger = self.declared.triggers.get(one.trigger)
        if trigger is None:
            return
        shadow = one.status == "shadow"
        if trigger.guards.once or trigger.guards.cool_down is not None:
            self.acted[one.trigger, one.customer, shadow] = one.minute
        if not shadow and trigger.purpose == "marketing":
            for name in self._caps(trigger):
                self.slots.setdefault((one.customer, name), []).append((one.minute, one.id))

    def _caps(self, trigger: Trigger) -> list[str]:
        """Return the caps that count a trigger of marketing."""
        return [
            name for name, cap in self.declared.guards.caps.items()
            if _counts(cap.channels, trigger.action.channel) and _counts(cap.triggers, trigger.name)
        ]  # fmt: skip

    def _refuses(self, guard: str, one: Made) -> bool:
        trigger, shop = self.declared.triggers[one.trigger], self.declared.guards
        marketing = trigger.purpose == "marketing"
        match guard:
            case "consent":
                return not self._is_granted(one, trigger.guards.consent)
            case "kill_switch":
                named = ("", f"channel/{trigger.action.channel}", f"trigger/{one.trigger}")
                return any(self.off.get(what, False) for what in named)
            case "hold_out":
                own = self._bucket(one.customer, "trigger", one.trigger) < 100 * trigger.guards.hold_out
                return own or (marketing and self._bucket(one.customer) < 100 * shop.hold_out)
            case "quiet_hours":
                hours = trigger.guards.quiet_hours or (shop.quiet_hours if marketing else None)
                return hours is not None and self._is_quiet(hours, one)
            case "cool_down" | "once":
                kinds = (False, True) if one.status == "shadow" else (False,)
                acted = [self.acted.get((one.trigger, one.customer, kind), -1) for kind in kinds]
                last = max(acted) if max(acted) >= 0 else None
                length = trigger.guards.cool_down
                if guard == "once":
                    return trigger.guards.once and last is not None
                return last is not None and length is not None and one.minute < last + parse_length(length)
        return marketing and any(self._is_full(name, one) for name in self._caps(trigger))

    def _is_granted(self, one: Made, consent: str | None) -> bool:
        if consent is None:
            return True
        granted, until = self.consents.get((one.customer, consent), (False, None))
        return granted and (until is None or one.minute < until)

    def _bucket(self, customer: str, *more: str) -> int:
        text = ("hold_out", self.declared.guards.salt, *more)
        salt = xxhash.xxh3_64_intdigest("\x1f".join(text).encode()) // 2
        words = (salt, int(customer[:16], 16), int(customer[16:], 16))
        h = 1
        for word in words:
            for place in range(4):
                h = ((h ^ (word // 65536**place % 65536)) * 48271) % 2147483647
        return h % 10_000

    def _is_quiet(self, hours: QuietHours, one: Made) -> bool:
        zone = (self.zone_of or {}).get(one.customer, self.declared.zone)
        zone = zone if zone in self.declared.guards.zones else self.declared.zone
        local = datetime.fromtimestamp(one.minute * 60, UTC).astimezone(ZoneInfo(zone)).strftime("%H:%M")
        if hours.from_ < hours.until:
            return hours.from_ <= local < hours.until
        return not hours.until <= local < hours.from_

    def _is_full(self, name: str, one: Made) -> bool:
        cap = self.declared.guards.caps[name]
        first, count = one.minute - parse_length(cap.within), 0
        for minute, _ in reversed(self.slots.get((one.customer, name), [])):  # the newest stand last
            if minute <= first:
                break
            count += 1
        return count >= cap.most


def _condition(trigger: Trigger) -> object:
    return trigger.when, trigger.condition, trigger.for_


def _counts(named: Sequence[str], name: str) -> bool:
    return not named or name in named
