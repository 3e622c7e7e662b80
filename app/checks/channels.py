"""Checks of ``channels.yaml``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from app.checks.cloud_sms import check_cloud_sms
from app.checks.settings import LANGUAGES
from app.checks.texts import check_seconds, check_zone
from app.documents.document import Place
from app.folder import Folder
from app.problems import Problems
from rules.suggest import suggest
from sinks.channels.cloud.settings import CloudSettings
from sinks.channels.inbox import InboxSettings
from sinks.channels.settings import Figures
from sinks.channels.smpp.settings import SmppSettings
from sinks.texts.texts import LINK
from sinks.texts.words import PARTS, Template, Words, spoken

# sinks.texts.template loads Jinja2 and Babel: it is imported where there is a text to check.
LABEL = "channels.yaml"
_PRICE = re.compile(r"\d{1,6}(\.\d{1,6})?")
_LINK = re.compile(r"[a-z][a-z0-9+.-]*://[^\s{]")  # no value may choose where a link leads


def check_channels(folder: Folder, problems: Problems) -> None:
    """Lengths, names of providers and the form of templates."""
    for name, channel in folder.shop.channels.items():
        check_seconds(channel.expires, folder.where(LABEL, name, "expires"), problems)
        _check_limits(folder, (name,), channel.limits, problems)
        called: set[str] = set()
        for index, provider in enumerate(channel.providers):
            place = (name, "providers", index)
            if provider.called in called:
                where = folder.where(LABEL, *place)
                problems.add(where, f"there are two providers '{provider.called}'", "give one another name")
            called.add(provider.called)
            if "zone" in type(provider).model_fields:
                check_zone(getattr(provider, "zone", None), folder.where(LABEL, *place, "zone"), problems)
            if isinstance(provider, InboxSettings):
                check_seconds(provider.keep, folder.where(LABEL, *place, "keep"), problems)
            if provider.price and not _PRICE.fullmatch(provider.price):
                where = folder.where(LABEL, *place, "price")
                problems.add(where, f"'{provider.price}' is no price", "write it such as '0.045'")
            if isinstance(provider, SmppSettings) and provider.signature:
                for template, text in channel.templates.items():
                    at = (name, "templates", template)
                    _check_signature(folder, at, text, provider.signature, problems)
            _check_limits(folder, place, provider.limits, problems)
            if isinstance(provider, CloudSettings):
                check_seconds(provider.timeout, folder.where(LABEL, *place, "timeout"), problems)
                names = {template: _given(text) for template, text in channel.templates.items()}
                check_cloud_sms(folder, place, provider, names, problems)
        for template, text in channel.templates.items():
            _check_template(folder, (name, "templates", template), text, problems)


def _check_signature(
    folder: Folder, place: Place, template: Template, signature: str, problems: Problems
) -> None:
    """Gateways that want a signature look for it at the very beginning or the very end."""
    for language, words in spoken(template).items():
        text = words.text.strip()
        if text and not text.startswith(signature) and not text.endswith(signature):
            where = folder.documents[LABEL].where(place_of(template, place, language, "text"))
            hint = f"begin or end it with {signature}, the signature of its provider"
            problems.add(where, "the text lacks its signature", hint)


def _check_limits(folder: Folder, place: Place, limits: Sequence[Figures], problems: Problems) -> None:
    for number, limit in enumerate(limits):
        check_seconds(limit.within, folder.where(LABEL, *place, "limits", number, "within"), problems)


def needs(template: Template) -> set[str]:
    """Return the names of the values that a template says, in whichever language; its own link is none."""
    from sinks.texts.template import check

    return {
        name for words in spoken(template).values()
        for part, source in parts(words)
        for name in check(source, {}, "").names
        if name != LINK or part == LINK or not words.link
    }  # fmt: skip


def _given(template: Template) -> set[str]:
    """Return the names of the values that a message of a template has: its own link is one."""
    has_link = any(words.link for words in spoken(template).values())
    return needs(template) | ({LINK} if has_link else set())


def parts(words: Words) -> Iterator[tuple[str, str]]:
    """Return the parts that a template has, by key."""
    return ((part, getattr(words, part)) for part in PARTS if getattr(words, part) or part == "text")


def place_of(template: Template, place: Place, language: str, part: str) -> Place:
    """Return where a part stands in the file: a text alone has no key of its own."""
    one: object = template[language] if language and isinstance(template, Mapping) else template
    by_language: Place = (*place, language) if language else place
    return by_language if isinstance(one, str) else (*by_language, part)


def _check_template(folder: Folder, place: Place, template: Template, problems: Problems) -> None:
    """Languages, and the form of each text; which values there are is the business of triggers."""
    from sinks.texts.template import check

    settings, document = folder.shop.settings, folder.documents[LABEL]
    currency = settings.currency if folder.settings_are_read else "XXX"  # an error of its own, told there
    by_language = spoken(template)
    for language in set(by_language) - {"", *LANGUAGES}:
        where = document.where((*place, language))
        problems.add(where, f"'{language}' is no language", suggest(language, LANGUAGES, "language"))
    if not {"", settings.language} & set(by_language) and folder.settings_are_read:
        problem = f"there is no text in '{settings.language}', the shop's language"
        problems.add(document.where(place), problem, f"add '{settings.language}:'")
    for language, words in by_language.items():
        for part, source in parts(words):
            at = place_of(template, place, language, part)
            if not source.strip():
                problems.add(document.where(at), "an empty text", "write what is to be sent")
            if part == "link" and not _LINK.match(source):
                problems.add(document.where(at), f"'{source}' is no link", "begin with https://")
            for fault in check(source, {}, currency).faults:
                problems.add(document.where_in_text(at, fault.line), fault.problem, fault.hint)
