"""A message to one customer, and how its text is made from a template."""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass

Value = int | str | None


@dataclass(frozen=True)
class Message:
    """What one decision sends. ``id``: the decision's; ``to``: a reference (type:value) of the customer."""

    id: str
    minute: int
    to: str
    channel: str
    template: str
    text: str


class HeldBack(Exception):
    """A message that must not go out; the text says why."""


def fill(template: str, values: Mapping[str, Value]) -> str:
    """Return the template with ``{name}`` replaced by the values; ``{{`` and ``}}`` are braces.

    Only names are replaced: no attributes, indices or calls. Raises HeldBack where a value is missing or
    null, so that nobody is greeted as None.

    >>> fill("{orders} orders, {{so far}}", {"orders": 3})
    '3 orders, {so far}'
    """
    parts: list[str] = []
    for text, name, form, _ in string.Formatter().parse(template):
        parts.append(text)
        if name is None:
            continue
        value = values.get(name)
        if value is None:
            raise HeldBack(f"'{name}' is not known of this customer")
        try:
            parts.append(format(value, form or ""))
        except ValueError:
            raise HeldBack(f"'{name}' does not fit the form '{form}'") from None
    return "".join(parts)
