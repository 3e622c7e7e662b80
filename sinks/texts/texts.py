"""A shop's messages in a customer's language: from a template and values to title, text and link.

The values ``language`` and ``zone`` of an action say in which language and zone its customer lives.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sinks.channels.message import Value
from sinks.texts.escape import Address, EscapeName
from sinks.texts.words import Template, Words, language_of, spoken

if TYPE_CHECKING:
    from sinks.texts.manner import Manner

LANGUAGE, ZONE, LINK = "language", "zone", "link"


@dataclass(frozen=True)
class Written:
    """What one message says. language: that which was chosen."""

    title: str
    text: str
    link: str
    language: str


class Texts:
    """Writes the messages of a shop of this language, zone and currency."""

    def __init__(self, language: str, zone: str, currency: str) -> None:
        self._language = language
        self._zone = zone
        self._currency = currency

    def write(
        self, template: Template, values: Mapping[str, Value],
        escape: EscapeName = "plain", short: str = "",
    ) -> Written:  # fmt: skip
        """Return the message. short: the link that stands for the template's own, where that has one. Raises
        HeldBack where a value that it says is missing or null, TextError for a template that its check would
        have refused.
        """
        from sinks.texts.template import compile_text

        language, words = self._words(template, values)
        manner = self._manner(language, values)
        link = compile_text(words.link, "link").render(values, manner) if words.link else ""
        if link:
            link = short or link
            values = {**values, LINK: Address(link)}
        title = compile_text(words.title, escape).render(values, manner) if words.title else ""
        return Written(
            " ".join(title.split()),
            compile_text(words.text, escape).render(values, manner),
            link,
            language,
        )

    def link(self, template: Template, values: Mapping[str, Value]) -> str:
        """Return where a message's own link leads; "" where its template has none. Raises HeldBack."""
        from sinks.texts.template import compile_text

        language, words = self._words(template, values)
        if not words.link:
            return ""
        return compile_text(words.link, "link").render(values, self._manner(language, values))

    def _manner(self, language: str, values: Mapping[str, Value]) -> Manner:
        from sinks.texts.manner import manner_of

        zone = values.get(ZONE)
        there = zone if isinstance(zone, str) else ""
        return manner_of(language, self._currency, self._zone, there)

    def _words(self, template: Template, values: Mapping[str, Value]) -> tuple[str, Words]:
        """Choose the customer's language, where the template has it; else the shop's."""
        by_language = spoken(template)
        if "" in by_language:
            return self._language, by_language[""]
        told = language_of(values.get(LANGUAGE))
        chosen = told if told in by_language else self._language
        return chosen, by_language[chosen]
