"""Traces of a person in messages as they came: dead letters, answers about them, lists of rejected rows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from streams.contract.source import Source

# characters of a value that is sought anywhere; a shorter one only under its own heading
SHORTEST, SHORTEST_NAME = 4, 2  # in ASCII; in other writing, where a name may have two


def telling_headings(sources: Mapping[str, Source]) -> set[str]:
    """Return the headings under which sources hold what names a customer, or what is personal; of a dotted
    path the last part, as messages have it."""
    found: set[str] = set()
    for source in sources.values():
        found |= {reference.column for reference in source.references}
        found |= {column.source_name or name for name, column in source.columns.items() if column.personal}
    return found | {heading.rpartition(".")[2] for heading in found}


class Traces:
    """What a person is called and known by: values of references and of personal columns."""

    def __init__(self, values: Iterable[str], headings: set[str]) -> None:
        self._values = {value for value in values if value}
        self._headings = headings
        shortest = {True: SHORTEST, False: SHORTEST_NAME}
        longer = [re.escape(one) for one in self._values if len(one) >= shortest[one.isascii()]]
        # No letter or digit of ASCII beside it: 1380000 is not found in 13800001234.
        beside = "[0-9A-Za-z]"
        pattern = f"(?<!{beside})(?:{'|'.join(sorted(longer, reverse=True))})(?!{beside})"
        self._pattern = re.compile(pattern) if longer else None

    def in_text(self, text: str | None) -> bool:
        """Say whether a text holds one of the values, unless that is very short."""
        return bool(text and self._pattern and self._pattern.search(text))

    def in_row(self, row: Mapping[str, str | None]) -> bool:
        """Say whether a row by headings tells of the person."""
        return any(self._in_value(value, heading) for heading, value in row.items())

    def in_message(self, body: bytes | None) -> bool:
        """Say whether a message tells of the person; JSON is looked through, all else is a text."""
        if body is None:
            return False
        text = body.decode("utf-8", "replace")
        try:
            return self._in_value(json.loads(text), "")
        except (ValueError, RecursionError):
            return self.in_text(text)

    def _in_value(self, value: Any, heading: str) -> bool:
        if isinstance(value, dict):
            return any(self._in_value(inner, name) for name, inner in value.items())
        if isinstance(value, list):
            return any(self._in_value(inner, heading) for inner in value)
        if value is None or isinstance(value, bool):
            return False
        text = str(value)
        if heading in self._headings and text in self._values:
            return True
        if text[:1] in ("{", "["):  # JSON inside a text
            try:
                return self._in_value(json.loads(text), heading)
            except (ValueError, RecursionError):
                pass
        return self.in_text(text)
