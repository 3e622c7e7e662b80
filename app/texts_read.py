"""How a template reads for real customers: made as the courier makes it, of what they have now, and sent to
nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

import numpy as np

from app.inspect import name_of
from app.owner import Owner
from app.sending.addresses import address_of, readable_of
from app.shop import Shop
from engine.engine import Engine
from engine.outcome import Decision
from engine.partition import Partition
from engine.readout import tag_bits
from engine.why import metric_value, number_of
from rules.check import check_value
from rules.schema import Schema
from rules.scope import CUSTOMER, event_of
from rules.suggest import suggest
from sinks.channels.channel import Channel
from sinks.channels.charging import measure_of
from sinks.channels.courier import Courier, Readable
from sinks.coupons.coupon import Coupon
from sinks.coupons.pool import last_minute
from sinks.links.code import LENGTH, PATH
from sinks.texts.preview import Preview, preview
from sinks.texts.texts import LANGUAGE
from sinks.texts.words import Template, language_of, spoken
from streams.errors import InputError
from triggers.trigger import Trigger

CODE, LINK = "ABCD-1234", "x" * LENGTH  # in place of a claimed code, and of a short link's
MOST = 20  # customers, unless they are named
Address = Callable[[str, str], str | None]


@dataclass(frozen=True)
class Read:
    """A text for one customer. customer: id, 32 hex digits; cost: None where no price is declared."""

    customer: str
    trigger: str
    language: str
    preview: Preview
    cost: Decimal | None


@dataclass(frozen=True)
class AskedTexts:
    """What to read. customers: ids; language: None for each customer's own; words: in place of what is
    declared."""

    channel: str
    template: str
    customers: Sequence[str]
    language: str | None = None
    words: Template | None = None


def asked_of(owner: Owner, asked: AskedTexts) -> list[dict[str, Any]]:
    """Return how texts read (`as_json`) of a running shop, in the thread of its engine. Raises InputError."""
    shop, log = owner.shop, owner.log
    channel, template = find_template(shop, f"{asked.channel}/{asked.template}")
    if asked.words is not None:
        shop = with_words(shop, channel, template, asked.words)
    if asked.language is not None:
        shop = in_language(shop, channel, template, asked.language)
    found = read_texts(
        shop, owner.engine, channel, template, asked.customers, partial(address_of, log),
        partial(readable_of, log, shop),
    )  # fmt: skip
    return [as_json(one, name_of(log, one.customer)) for one in found]


def as_json(one: Read, reference: str) -> dict[str, Any]:
    """Return one text as the command and the API write it."""
    seen, sms = one.preview, one.preview.sms
    message = seen.message
    return {
        "customer": one.customer, "reference": reference, "trigger": one.trigger,
        "language": one.language, "title": None if message is None else message.title,
        "text": None if message is None else message.text, "link": None if message is None else message.link,
        "held_back": seen.held_back, "characters": seen.characters,
        "encoding": None if sms is None else sms.encoding, "units": None if sms is None else sms.units,
        "parts": None if sms is None else sms.parts, "cost": None if one.cost is None else str(one.cost),
    }  # fmt: skip


def find_template(shop: Shop, named: str) -> tuple[str, str]:
    """Return channel and template of ``CHANNEL/TEMPLATE``. Raises InputError."""
    channel, _, template = named.partition("/")
    if channel not in shop.channels:
        hint = suggest(channel, shop.channels, "channel")
        raise InputError(named, f"there is no channel '{channel}'", hint)
    templates = shop.channels[channel].templates
    if template not in templates:
        hint = suggest(template, templates, "template")
        raise InputError(named, f"channel '{channel}' has no template '{template}'", hint)
    return channel, template


def in_language(shop: Shop, channel: str, template: str, language: str) -> Shop:
    """Return the shop with a template in this language only, whatever customers speak. Raises InputError."""
    declared = shop.channels[channel]
    by_language = spoken(declared.templates[template])
    if language not in by_language:
        known = ", ".join(name for name in by_language if name) or "one text for all"
        raise InputError("--language", f"{channel}/{template} has no '{language}'", f"it has {known}")
    settings = shop.settings.model_copy(update={"language": language})
    there = shop.model_copy(update={"settings": settings})
    return with_words(there, channel, template, by_language[language])


def with_words(shop: Shop, channel: str, template: str, words: Template) -> Shop:
    """Return the shop with a template that says this. Raises InputError where it is none."""
    from sinks.texts.template import TextError, compile_text  # loads Jinja2 and Babel

    for one in spoken(words).values():
        for source in filter(None, (one.title, one.text, one.link)):
            try:
                compile_text(source)
            except TextError as error:
                raise InputError("words", str(error), error.faults[0].hint) from None
    declared = shop.channels[channel]
    changed = declared.model_copy(update={"templates": {**declared.templates, template: words}})
    return shop.model_copy(update={"channels": {**shop.channels, channel: changed}})


def read_texts(
    shop: Shop, engine: Engine, channel: str, template: str, customers: Sequence[str], address: Address,
    readable: Readable,
) -> list[Read]:  # fmt: skip
    """Return how a template reads, for each trigger that sends it and each customer (id); for some who are
    concerned where none is named. address, readable: as a `Courier` has them. Raises InputError.
    """
    triggers = [
        one for one in shop.triggers.values()
        if (one.action.channel, one.action.template) == (channel, template)
    ]  # fmt: skip
    if not triggers:
        problem = "no trigger sends it, so it has no values"
        raise InputError(f"{channel}/{template}", problem, "name it in the action of a trigger")
    base = shop.settings.links.base.rstrip("/")
    courier = Courier(shop, address, readable, shorten=(lambda _: base + PATH + LINK) if base else None)
    made = _Reading(shop, engine, shop.channels[channel], courier)
    return [
        made.read(trigger, partition, number)
        for trigger in triggers
        for partition, number in (_named(engine, customers) if customers else _concerned(engine, trigger))
    ]


class _Reading:
    """Reads the templates of one channel."""

    def __init__(self, shop: Shop, engine: Engine, channel: Channel, courier: Courier) -> None:
        self._shop, self._engine, self._channel, self._courier = shop, engine, channel, courier
        self._schema = Schema.build(shop.sources, shop.metrics, shop.rfm, shop.tags)
        self._measure = measure_of(channel)
        price = channel.providers[0].price
        self._price = Decimal(price) if price else None

    def read(self, trigger: Trigger, partition: Partition, number: int) -> Read:
        customer = partition.ids(np.array([number]))[0].hex()
        decision = Decision(
            "0" * 32, 0, 0, self._engine.clock, customer, trigger.name, "", "act", "", "live", {}, {},
            self._values(trigger, partition, number),
        )  # fmt: skip
        coupon = self._coupon(trigger)
        seen = preview(partial(self._courier.make, decision, coupon), self._measure)
        told = "" if seen.message is None else language_of(seen.message.values.get(LANGUAGE))
        by_language = spoken(self._channel.templates[trigger.action.template])
        language = told if told and told in by_language else self._shop.settings.language
        cost = None if self._price is None or seen.sms is None else self._price * seen.sms.parts
        return Read(customer, trigger.name, language, seen, cost)

    def _coupon(self, trigger: Trigger) -> Coupon | None:
        """Return a code that is none, for a message that says one."""
        pool = self._shop.coupons.get(trigger.action.coupon)
        if pool is None:
            return None
        until = last_minute(pool.expires, self._engine.clock * 60.0, self._shop.settings.zone)
        return Coupon(trigger.action.coupon, CODE, until)

    def _values(self, trigger: Trigger, partition: Partition, number: int) -> dict[str, Any]:
        """Return what would go with a decision of the trigger now (semantics G5)."""
        scope = event_of(trigger.when.event.source) if trigger.when.event else CUSTOMER
        specs = [
            spec for text in trigger.action.values.values()
            for spec in check_value(text, self._schema, scope).metrics
        ]  # fmt: skip
        for spec in specs:
            if spec not in partition.plan.metric.number:
                problem = f"{spec.key} is not kept yet: the settings in force are older"
                hint = "let the shop run with these first"
                raise InputError(f"triggers/{trigger.name}.yaml", problem, hint)
        return {spec.key: metric_value(partition, number, spec) for spec in specs}


def _named(engine: Engine, customers: Sequence[str]) -> Iterator[tuple[Partition, int]]:
    for customer in customers:
        for partition in engine.partitions:
            if (number := number_of(partition, customer)) >= 0:
                yield partition, number


def _concerned(engine: Engine, trigger: Trigger) -> list[tuple[Partition, int]]:
    """Return some customers: first those whom the trigger's tag or rows concern now, then others."""
    first, others = list[tuple[Partition, int]](), list[tuple[Partition, int]]()
    for partition in engine.partitions:
        bits = _concerns(partition, trigger)
        for found, chosen in ((first, bits), (others, ~bits)):
            found += [(partition, int(number)) for number in np.flatnonzero(chosen)[:MOST]]
    return (first + others)[:MOST]


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
