"""Tells what happened in one line each: a tag gained or lost with its reason, a decision with its reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rich.text import Text

from app.demo.smsc import Sms
from app.demo.words import words
from app.moments import write_moment
from app.pages.amounts import write_value
from app.pages.profile_page import write_attribute
from app.shop import Shop
from engine.outcome import Decision, Transition
from profiles.windows import parse_length
from rules.check import check_metric
from rules.meaning import MetricValue
from rules.schema import Schema
from rules.types import Type
from sinks.deliveries.lane import Carried

DAY = 1440
STYLES = {"enter": "green", "leave": "red", "act": "green", "refused": "yellow", "contradicted": "magenta"}


class Teller:
    """Writes lines in the shop's language; ``name`` gives a customer's reference by id."""

    def __init__(self, shop: Shop, name: Callable[[str], str]) -> None:
        self.shop = shop
        self.words = words(shop.settings.language)
        self.name = name
        self._metrics: dict[str, tuple[str, Type]] = {}
        schema = Schema.build(shop.sources, shop.metrics, shop.rfm, shop.tags)
        self._attributes = {spec.key: name for name, spec in schema.attributes.items()}
        for metric, text in shop.metrics.items():
            checked = check_metric(text, schema)
            if isinstance(checked.meaning, MetricValue):
                self._metrics[checked.meaning.metric.key] = (metric, checked.type)

    def moment(self, minute: int) -> str:
        """Return the local time of day of a minute."""
        return write_moment(minute, self.shop.settings.zone)[11:]

    def transition(self, one: Transition) -> Text:
        """Return the line of a tag's or segment's change."""
        line = Text.assemble((self.moment(one.minute), "dim"), "  ", f"{self.name(one.customer):<13} ")
        if one.change == "segment":
            line.append(f"{one.before or '–'} → {one.after or '–'}", style="cyan")
            return line
        line.append(f"{self.words[one.change]} {one.what}", style=STYLES[one.change])
        line.append(f"   {self.values(one.values)}", style="dim")
        return line

    def values(self, values: Mapping[str, Any]) -> str:
        """Return metrics with their values, by their declared names where they have one."""
        parts = []
        for key, value in values.items():
            if key in self._attributes:
                name = self._attributes[key]
                parts.append(f"customer.{name} = {write_attribute(self.shop, name, value)}")
                continue
            name, kind = self._metrics.get(key, (key, None))
            parts.append(f"{name} = {write_value(value, kind)}")
        return ", ".join(parts)

    def decision(self, one: Decision, delivery: Carried | None) -> Text:
        """Return the line of a decision: what was sent, or which guard refused and why."""
        line = Text.assemble((self.moment(one.minute), "dim"), "  ", f"{self.name(one.customer):<13} ")
        line.append(f"{self.words[one.outcome]} ", style=STYLES[one.outcome])
        line.append(one.trigger, style="bold")
        if delivery is not None and delivery.message is not None:
            line.append(f"   {delivery.message.channel}: ", style="dim")
            line.append(delivery.message.text)
        elif delivery is not None:
            line.append(f"   {self.words['held_back']}: {delivery.reason}", style="yellow")
        elif one.outcome in ("refused", "held"):
            line.append(f"   {one.guard}: {self._reason(one)}", style="dim")
        return line

    def sms(self, one: Sms, minute: int) -> Text:
        """Return the line of a text as the SMSC has it: its phone masked, what it is charged as, and whether
        it was delivered.
        """
        line = Text.assemble((self.moment(minute), "dim"), "  ", (one.phone, "bold"), " ")
        line.append("✓ " if one.delivered else "✗ ", style="green" if one.delivered else "red")
        if one.counted.parts > 1:
            line.append(self.words["parts"].format(parts=one.counted.parts) + " ", style="yellow")
        line.append(one.text)
        return line

    def _reason(self, one: Decision) -> str:
        guards = self.shop.triggers[one.trigger].guards
        figures: dict[str, Any] = dict(one.figures)
        if one.guard == "cool_down" and guards.cool_down is not None:
            acted = write_moment(int(one.figures["acted_at"]), self.shop.settings.zone)
            figures = {"acted_at": acted, "cool_down": parse_length(guards.cool_down) // DAY}
        for moment in ("fresh_until", "until", "acted_at"):
            if isinstance(figures.get(moment), int):
                figures[moment] = write_moment(figures[moment], self.shop.settings.zone)
        return self.words[one.guard].format(consent=guards.consent, **figures)
