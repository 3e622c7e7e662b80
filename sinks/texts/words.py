"""A template as channels.yaml declares it: a text, or a text with title and link, or either by language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag

from profiles.declare import Declared

PARTS = ("title", "text", "link")
# How a customer's language may stand in a shop's data, beside codes such as zh, zh-CN, zh_Hans or en-GB.
CALLED = {
    "中文": "zh", "汉语": "zh", "简体中文": "zh", "chinese": "zh", "mandarin": "zh", "cn": "zh",
    "英文": "en", "英语": "en", "english": "en",
}  # fmt: skip


class Words(Declared):
    """What a message says in one language."""

    text: str = Field(description="what it says")
    title: str = Field(default="", description="one line above it, where a channel has one: a mail's subject")
    link: str = Field(default="", description="where it leads, https://...; its values are percent-encoded")


def _single(value: Any) -> str:
    """Tell a text from a mapping of parts; what is neither is refused as a text."""
    return "(one)" if isinstance(value, Words | Mapping) else "str"


def _form(value: Any) -> str:
    """Tell a mapping of parts, which has one of their keys, from one of languages."""
    if isinstance(value, Mapping) and value and value.keys().isdisjoint(PARTS):
        return "(many)"
    return _single(value)


_Single = Annotated[Annotated[Words, Tag("(one)")] | Annotated[str, Tag("str")], Discriminator(_single)]
_ByLanguage = Annotated[dict[str, _Single], Tag("(many)")]
Template = Annotated[
    Annotated[Words, Tag("(one)")] | Annotated[str, Tag("str")] | _ByLanguage, Discriminator(_form)
]


def spoken(template: Template) -> dict[str, Words]:
    """Return a template's words by language; those that are not by language stand under ''.

    >>> spoken("hi")[""].text, list(spoken({"en": "hi", "zh": "你好"}))
    ('hi', ['en', 'zh'])
    """
    if isinstance(template, Mapping):
        return {language: _words(one) for language, one in template.items()}
    return {"": _words(template)}


def language_of(told: object) -> str:
    """Return the code of a language as a shop's data may call it; '' where nothing is told.

    >>> [language_of(told) for told in ("zh-CN", "EN_gb", "中文", None)]
    ['zh', 'en', 'zh', '']
    """
    if not isinstance(told, str):
        return ""
    word = told.strip().casefold()
    return CALLED.get(word) or word.replace("_", "-").partition("-")[0]


def _words(one: Words | str) -> Words:
    return Words(text=one) if isinstance(one, str) else one
