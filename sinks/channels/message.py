"""A message to one customer, and how its text is made from a template."""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Value = int | str | None
Purpose = Literal["marketing", "transactional"]


@dataclass(frozen=True)
class Message:
    """What one decision sends.

    id: the decision's, 32 hex digits; with it a provider that can tells repetitions. minute: the decision's,
    since 1970. to: a reference of the customer, ``type:value``. customer: the customer's id, 32 hex digits.
    text: to be shown as it is. values: the template's variables as texts, for providers that fill templates
    of their own. expires: seconds since 1970 from which it must not go out; None: never.
    """

    id: str
    minute: int
    to: str
    channel: str
    template: str
    text: str
    title: str = ""
    customer: str = ""
    trigger: str = ""
    purpose: Purpose = "marketing"
    priority: int = 0
    values: Mapping[str, str] = field(default_factory=dict)
    expires: float | None = None

    @property
    def address(self) -> str:
        """The value of the reference: a phone number, an e-mail address.

        >>> Message("0" * 32, 1, "phone:13800001001", "sms", "hi", "hello").address
        '13800001001'
        """
        return self.to.partition(":")[2]


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
