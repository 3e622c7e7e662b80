"""What a decision is as a message: by which channel it goes, its text, and to whom."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from engine.outcome import Decision
from engine.plan_guards import minute_of
from profiles.windows import parse_length
from rules.schema import Schema
from sinks.channels.message import HeldBack, Message
from sinks.channels.settings import parse_seconds
from sinks.coupons.coupon import Coupon
from sinks.deliveries.capped import Capped
from sinks.deliveries.delivery import Route, Way
from sinks.deliveries.pace import Pace
from sinks.deliveries.quiet import Quiet
from sinks.links.code import Shorten
from sinks.texts.texts import LINK, Texts
from triggers.condition import caps_of, quiet_hours_of
from triggers.shop_guards import ShopGuards
from triggers.trigger import Trigger
from triggers.values import action_values

if TYPE_CHECKING:
    from app.shop import Shop


Withdrawn = Callable[[Decision, Trigger], str | None]
Readable = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]
MINUTE_SECONDS = 60.0
TRANSACTIONAL = 10_000  # added to a trigger's own priority, which is 1,000 at most: before all marketing


class Courier:
    """Makes a shop's messages; it sends nothing.

    ``address`` gives a customer's reference of a type (any when empty) by id (32 hex digits), None where
    there is none; ``readable`` turns the values that go with a decision of a customer into what a message
    may say (`Readable`); ``withdrawn`` says why it must not be carried out any more, where that is so;
    ``shorten`` makes the short link of a decision's id, where there are any.
    """

    def __init__(
        self, shop: Shop, address: Callable[[str, str], str | None],
        readable: Readable = lambda _, values: values, withdrawn: Withdrawn = lambda _, __: None,
        shorten: Shorten | None = None,
    ) -> None:  # fmt: skip
        self._shop = shop
        self._schema = Schema.build(shop.sources, shop.metrics, shop.rfm, shop.tags)
        settings = shop.settings
        self._texts = Texts(settings.language, settings.zone, settings.currency)
        self._lasts = {name: parse_seconds(one.expires) for name, one in shop.channels.items()}
        self._caps = {name: _caps(name, one, settings.guards) for name, one in shop.triggers.items()}
        self._address = address
        self._readable = readable
        self._withdrawn = withdrawn
        self._shorten = shorten

    def route(self, decision: Decision) -> Way:
        """Return how a decision is delivered, or why it cannot be; None where there is nothing to send:
        refused, shadow and contradicted ones.
        """
        if decision.outcome != "act" or decision.status != "live":
            return None
        trigger = self._shop.triggers.get(decision.trigger)
        if trigger is None:
            return f"there is no trigger '{decision.trigger}' any more"
        channel = trigger.action.channel
        if channel not in self._lasts:
            return f"there is no channel '{channel}'"
        template, priority = trigger.action.template, _priority(trigger)
        pace, quiet = pace_of(trigger), self._quiet(trigger, decision)
        if pace is not None:
            pace, quiet = Pace(pace.most, pace.seconds, quiet), None
        lasts, caps = self._lasts[channel], self._caps[decision.trigger]
        return Route(channel, template, trigger.purpose, priority, lasts, pace, quiet, caps)

    def _quiet(self, trigger: Trigger, decision: Decision) -> Quiet | None:
        """Return the quiet hours that stood against a decision, in the customer's zone by then (D5)."""
        guards = self._shop.settings.guards
        hours = quiet_hours_of(trigger, guards)
        if hours is None:
            return None
        attribute = self._schema.attributes.get(guards.zone.removeprefix("customer."))
        zone = decision.values.get(attribute.key) if attribute is not None else None
        zone = zone if zone in guards.zones else self._shop.settings.zone
        return Quiet(minute_of(hours.from_), minute_of(hours.until), zone, hours.then == "drop")

    def pool(self, decision: Decision) -> str:
        """Return the pool of coupons of which a decision's message says a code; "" where it says none, or
        there is nobody to say it to."""
        trigger = self._shop.triggers.get(decision.trigger)
        channel = self._shop.channels.get(trigger.action.channel) if trigger is not None else None
        if trigger is None or channel is None or not trigger.action.coupon:
            return ""
        to = self._address(decision.customer, channel.address)
        return "" if to is None else trigger.action.coupon

    def make(self, decision: Decision, coupon: Coupon | None = None) -> Message:
        """Return the message of a decision to act, which says the coupon. Raises HeldBack where text or
        address are missing, or a value that the trigger wants now and its decision does not carry."""
        trigger = self._shop.triggers.get(decision.trigger)
        if trigger is None:
            raise HeldBack(f"there is no trigger '{decision.trigger}' any more")
        action = trigger.action
        channel = self._shop.channels.get(action.channel)
        if channel is None:
            raise HeldBack(f"there is no channel '{action.channel}'")
        template = channel.templates.get(action.template)
        if template is None:
            raise HeldBack(f"channel {action.channel} has no template '{action.template}'")
        to = self._address(decision.customer, channel.address)
        if to is None:
            raise HeldBack(f"the customer has no {channel.address or 'reference'}, or is erased")
        values = self._values(trigger, decision, coupon)
        for name in action.values:
            if name not in values:
                raise HeldBack(
                    f"its decision carries no '{name}', which trigger '{decision.trigger}' says now: it was "
                    "made under other settings"
                )
        short = self._shorten(decision.id) if self._shorten is not None else ""
        written = self._texts.write(template, values, channel.providers[0].escape, short)
        made = Message(
            decision.id, decision.minute, to, action.channel, action.template, written.text, written.title,
            customer=decision.customer, trigger=decision.trigger, purpose=trigger.purpose,
            priority=_priority(trigger), link=written.link,
            link_code=short.rpartition("/")[2] if written.link else "",
            values={name: str(value) for name, value in values.items() if value is not None}
            | ({LINK: written.link} if written.link else {}),
            expires=decision.minute * MINUTE_SECONDS + self._lasts[action.channel],
        )  # fmt: skip
        if not made.is_whole:
            raise HeldBack("its text holds half of a character")
        return made

    def leads_to(self, decision: Decision, coupon: Coupon | None = None) -> str | None:
        """Return where the link of a decision's message leads, which says the coupon; None where it has none
        (any more). Raises HeldBack where a value in it is missing."""
        trigger = self._shop.triggers.get(decision.trigger)
        channel = None if trigger is None else self._shop.channels.get(trigger.action.channel)
        if trigger is None or channel is None or trigger.action.template not in channel.templates:
            return None
        template = channel.templates[trigger.action.template]
        return self._texts.link(template, self._values(trigger, decision, coupon)) or None

    def _values(self, trigger: Trigger, decision: Decision, coupon: Coupon | None) -> dict[str, Any]:
        readable = self._readable(decision.customer, decision.values)
        values: dict[str, Any] = action_values(trigger, self._schema, readable)
        return values if coupon is None else values | coupon.values(self._shop.coupons)

    def revoked(self, decision: Decision) -> str | None:
        """Return why a decision must not be carried out any more: its trigger was stopped meanwhile (D5)."""
        trigger = self._shop.triggers.get(decision.trigger)
        if trigger is None:
            return None  # `make` says so
        if trigger.status != "live":
            return f"trigger '{decision.trigger}' is {trigger.status} now"
        return self._withdrawn(decision, trigger)


def pace_of(trigger: Trigger) -> Pace | None:
    """Return a trigger's pace, without quiet hours; None where it has none."""
    pace = trigger.action.pace
    return None if pace is None else Pace(pace.most, parse_length(pace.within) * 60)


def _caps(name: str, trigger: Trigger, guards: ShopGuards) -> tuple[Capped, ...]:
    """Return the caps that stand against a trigger's messages."""
    declared = [(called, guards.caps[called]) for called in caps_of(name, trigger, guards)]
    return tuple(Capped(called, cap.most, parse_length(cap.within)) for called, cap in declared)


def _priority(trigger: Trigger) -> int:
    return trigger.priority + (TRANSACTIONAL if trigger.purpose == "transactional" else 0)


def of_type(references: list[str], kind: str) -> str | None:
    """Return the first reference of a type, or the first of all when the type is empty.

    >>> of_type(["member:M1", "phone:138"], "phone")
    'phone:138'
    """
    return next((one for one in references if not kind or one.startswith(f"{kind}:")), None)


def called(references: list[str], customer: str) -> str:
    """Return a customer's member number, another reference, or the id where there is none.

    >>> called(["phone:138", "member:M1"], "6f")
    'member:M1'
    """
    return of_type(references, "member") or of_type(references, "") or customer
