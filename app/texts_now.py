"""What would go with a decision of a trigger now: the engine's part in how a template reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.owner import Owner
from app.shop import Shop
from engine.engine import Engine
from engine.partition import Partition
from engine.plan import settings_hash
from engine.readout import tag_bits
from engine.why import metric_value, number_of
from rules.check import check_value
from rules.metric import MetricSpec
from rules.schema import Schema
from rules.scope import CUSTOMER, event_of
from streams.errors import InputError
from triggers.trigger import Trigger

MOST = 20  # customers, unless they are named


@dataclass(frozen=True)
class Now:
    """What a trigger would send a customer (id, 32 hex digits) now. clock: epoch minute; values: as those of
    a `Decision`; is_concerned: whether the trigger's tag or rows concern the customer."""

    trigger: str
    customer: str
    clock: int
    values: dict[str, Any]
    is_concerned: bool = True


@dataclass(frozen=True)
class AskedNow:
    """What the owner of a partition is asked. settings: the hash of those by which triggers are named;
    customers: as of `values_now`."""

    settings: str
    triggers: Sequence[str]
    customers: Sequence[str]


@dataclass(frozen=True)
class AnsweredNow:
    """What it says. epoch: as of `app.explained.Answer`; found: None where other settings are in force."""

    epoch: int
    found: Sequence[Now] | None


def values_now(
    shop: Shop, engine: Engine, triggers: Sequence[Trigger], customers: Sequence[str]
) -> list[Now]:
    """Return what would go with a decision of each trigger (semantics G5), for each customer (id) whom the
    engine knows; for some of each partition, `choose` among them, where none is named. Raises InputError.
    """
    schema = Schema.build(shop.sources, shop.metrics, shop.rfm, shop.tags)
    found = []
    for trigger in triggers:
        specs = _specs(trigger, schema)
        for partition, number, is_concerned in (
            _named(engine, customers) if customers else _some(engine, trigger)
        ):
            customer = partition.ids(np.array([number]))[0].hex()
            values = _values(trigger, specs, partition, number)
            found.append(Now(trigger.name, customer, engine.clock, values, is_concerned))
    return found


def answered_now(owner: Owner, epoch: int, asked: AskedNow) -> AnsweredNow:
    """Return what the owner of a partition says, in the thread of its engine."""
    if settings_hash(owner.version) != asked.settings:
        return AnsweredNow(epoch, None)
    triggers = [owner.shop.triggers[name] for name in asked.triggers]
    return AnsweredNow(epoch, values_now(owner.shop, owner.engine, triggers, asked.customers))


def choose(triggers: Sequence[Trigger], customers: Sequence[str], found: Sequence[Now]) -> list[Now]:
    """Return what is to be read of what all partitions have: of those who were named, in their order; else
    for each trigger first of whom it concerns."""
    chosen: list[Now] = []
    for trigger in triggers:
        mine = [one for one in found if one.trigger == trigger.name]
        if customers:
            of = {one.customer: one for one in mine}
            chosen += [of[customer] for customer in customers if customer in of]
        else:
            chosen += sorted(mine, key=lambda one: not one.is_concerned)[:MOST]
    return chosen


def _specs(trigger: Trigger, schema: Schema) -> list[MetricSpec]:
    scope = event_of(trigger.when.event.source) if trigger.when.event else CUSTOMER
    return [
        spec for text in trigger.action.values.values() for spec in check_value(text, schema, scope).metrics
    ]


def _values(
    trigger: Trigger, specs: Sequence[MetricSpec], partition: Partition, number: int
) -> dict[str, Any]:
    for spec in specs:
        if spec not in partition.plan.metric.number:
            problem = f"{spec.key} is not kept yet: the settings in force are older"
            hint = "let the shop run with these first"
            raise InputError(f"triggers/{trigger.name}.yaml", problem, hint)
    return {spec.key: metric_value(partition, number, spec) for spec in specs}


def _named(engine: Engine, customers: Sequence[str]) -> Iterator[tuple[Partition, int, bool]]:
    for customer in customers:
        for partition in engine.partitions:
            if (number := number_of(partition, customer)) >= 0:
                yield partition, number, True


def _some(engine: Engine, trigger: Trigger) -> Iterator[tuple[Partition, int, bool]]:
    """Yield some customers of each partition: whom the trigger's tag or rows concern now, and others."""
    for partition in engine.partitions:
        bits = _concerns(partition, trigger)
        for is_concerned, chosen in ((True, bits), (False, ~bits)):
            for number in np.flatnonzero(chosen)[:MOST]:
                yield partition, int(number), is_concerned


def _concerns(partition: Partition, trigger: Trigger) -> Any:
    """Return of every customer whether they are in the tag that is entered, or have rows of the event."""
    when, plan = trigger.when, partition.plan
    event = when.event or (when.absence.after if when.absence else None)
    if when.enter is not None and when.enter in plan.tag.number:
        return tag_bits(partition, "member", when.enter)
    source = event.source if event else ""
    numbers = [number for spec, number in plan.metric.number.items() if spec.source == source]
    if not numbers:
        return np.ones(partition.customers, dtype=bool)
    sources = partition.memory.dimensions["sources"]
    sizes = partition.memory["list_size"][: partition.customers * sources].reshape(-1, sources)
    return sizes[:, int(plan.columns["metric_source"][numbers[0]])] > 0
