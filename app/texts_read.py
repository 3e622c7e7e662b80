"""How a template reads for real customers: made as the courier makes it, of what they have now
(`app.texts_now`), and sent to nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

from app.inspect import name_of
from app.owner import Owner
from app.sending.addresses import address_of, readable_of
from app.shop import Shop
from app.texts_now import Now, choose, values_now
from engine.engine import Engine
from engine.outcome import Decision
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
    shop, log = as_asked(owner.shop, asked), owner.log
    found = read_texts(
        shop, owner.engine, asked.channel, asked.template, asked.customers, partial(address_of, log),
        partial(readable_of, log, shop),
    )  # fmt: skip
    return [as_json(one, name_of(log, one.customer)) for one in found]


def as_asked(shop: Shop, asked: AskedTexts) -> Shop:
    """Return the shop with the template as it is to be read. Raises InputError."""
    channel, template = find_template(shop, f"{asked.channel}/{asked.template}")
    if asked.words is not None:
        shop = with_words(shop, channel, template, asked.words)
    if asked.language is not None:
        shop = in_language(shop, channel, template, asked.language)
    return shop


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


def senders_of(shop: Shop, channel: str, template: str) -> list[Trigger]:
    """Return the triggers that send a template. Raises InputError where none does."""
    found = [
        one for one in shop.triggers.values()
        if (one.action.channel, one.action.template) == (channel, template)
    ]  # fmt: skip
    if not found:
        problem = "no trigger sends it, so it has no values"
        raise InputError(f"{channel}/{template}", problem, "name it in the action of a trigger")
    return found


def read_texts(
    shop: Shop, engine: Engine, channel: str, template: str, customers: Sequence[str], address: Address,
    readable: Readable,
) -> list[Read]:  # fmt: skip
    """Return how a template reads, for each trigger that sends it and each customer (id); for some who are
    concerned where none is named. address, readable: as a `Courier` has them. Raises InputError.
    """
    triggers = senders_of(shop, channel, template)
    chosen = choose(triggers, customers, values_now(shop, engine, triggers, customers))
    return read_chosen(shop, channel, template, chosen, address, readable)


def read_chosen(
    shop: Shop, channel: str, template: str, chosen: Sequence[Now], address: Address, readable: Readable
) -> list[Read]:
    """Return how it reads with these values."""
    base = shop.settings.links.base.rstrip("/")
    courier = Courier(shop, address, readable, shorten=(lambda _: base + PATH + LINK) if base else None)
    made = _Reading(shop, shop.channels[channel], template, courier)
    return [made.read(one) for one in chosen]


class _Reading:
    """Reads a template of a channel."""

    def __init__(self, shop: Shop, channel: Channel, template: str, courier: Courier) -> None:
        self._shop, self._courier = shop, courier
        self._by_language = spoken(channel.templates[template])
        self._measure = measure_of(channel)
        price = channel.providers[0].price
        self._price = Decimal(price) if price else None

    def read(self, one: Now) -> Read:
        decision = Decision(
            "0" * 32, 0, 0, one.clock, one.customer, one.trigger, "", "act", "", "live", {}, {}, one.values
        )
        coupon = self._coupon(one)
        seen = preview(partial(self._courier.make, decision, coupon), self._measure)
        told = "" if seen.message is None else language_of(seen.message.values.get(LANGUAGE))
        language = told if told and told in self._by_language else self._shop.settings.language
        cost = None if self._price is None or seen.sms is None else self._price * seen.sms.parts
        return Read(one.customer, one.trigger, language, seen, cost)

    def _coupon(self, one: Now) -> Coupon | None:
        """Return a code that is none, for a message that says one."""
        name = self._shop.triggers[one.trigger].action.coupon
        pool = self._shop.coupons.get(name)
        if pool is None:
            return None
        return Coupon(name, CODE, last_minute(pool.expires, one.clock * 60.0, self._shop.settings.zone))
