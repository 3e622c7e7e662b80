"""Names of a message in a setting's text, in the form of templates: ``{{ name }}``, without filters."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

_PLACE = re.compile(r"\{\{\s*(\w+)\s*\}\}")


def check_places(text: str, names: Collection[str]) -> None:
    """Raise ValueError where a text uses another name, or braces that name nothing.

    >>> check_places("{{ text }} of {{ who }}", ["text"])
    Traceback (most recent call last):
    ValueError: 'who' is none of its names; use {{ text }}
    """
    hint = "use " + ", ".join(f"{{{{ {name} }}}}" for name in names)
    for name in _PLACE.findall(text):
        if name not in names:
            raise ValueError(f"'{name}' is none of its names; {hint}")
    if "{" in _PLACE.sub("", text) or "}" in _PLACE.sub("", text):
        raise ValueError(f"'{text}' has a brace that names nothing; {hint}")


def fill_places(text: str, values: Mapping[str, str]) -> str:
    """Return a checked text with its names replaced.

    >>> fill_places("{{ text }}!", {"text": "hi"})
    'hi!'
    """
    return _PLACE.sub(lambda place: values[place[1]], text)
