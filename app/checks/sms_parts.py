"""Notes on texts that an SMS does not carry in one part: no errors, but each one costs as much as several."""

from __future__ import annotations

from collections.abc import Mapping

from app.checks.channels import LABEL, place_of
from app.checks.note import Note
from app.checks.said import kinds_of
from app.folder import Folder
from rules.schema import Schema
from sinks.channels.charging import measure_of
from sinks.channels.message import HeldBack, Value
from sinks.texts.kinds import Kind
from sinks.texts.preview import note_on_parts
from sinks.texts.texts import LANGUAGE, ZONE, Texts
from sinks.texts.words import spoken

# What a value may be like, to count with: 1,234.56 of money, a time in 2026, a short word.
NUMBER, MOMENT = 123_456, 29_541_600
WORDS = {"zh": "样例文字", "en": "example"}


def notes_on_parts(folder: Folder) -> list[Note]:
    """Return a note for each text of an SMS that takes several parts with values such as these. Needs a
    folder without errors.
    """
    shop = folder.shop
    schema = Schema.build(shop.sources, shop.metrics, shop.rfm, shop.tags)
    found: dict[tuple[str, str, str], Note] = {}
    for trigger in shop.triggers.values():
        name, template = trigger.action.channel, trigger.action.template
        channel = shop.channels[name]
        measure = measure_of(channel)
        if measure is None or template not in channel.templates:
            continue
        declared, kinds = channel.templates[template], kinds_of(trigger, schema)
        for language, words in spoken(declared).items():
            spoken_here = language or shop.settings.language
            texts = Texts(spoken_here, shop.settings.zone, shop.settings.currency)
            values = _samples(kinds, spoken_here)
            try:
                written = texts.write(words, values, channel.providers[0].escape)
                note = note_on_parts(measure(written.text))
            except HeldBack as reason:
                note = f"would be held back: {reason}"
            if note is not None:
                place = place_of(declared, (name, "templates", template), language, "text")
                hint = f"with values such as 1,234.56; real ones: tintype text SHOP {name}/{template}"
                found[name, template, language] = Note(folder.where(LABEL, *place), note, hint)
    return list(found.values())


def _samples(kinds: Mapping[str, Kind], language: str) -> dict[str, Value]:
    """Return a value of each kind."""
    word = WORDS.get(language, WORDS["en"])
    made = {"number": NUMBER, "moment": MOMENT}
    return {name: made.get(kind.what, word) for name, kind in kinds.items() if name not in (LANGUAGE, ZONE)}
