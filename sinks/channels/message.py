"""A message to one customer. How its text is made from a template is `sinks.texts`."""

from __future__ import annotations

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
    of their own. expires: seconds since 1970 from which it must not go out; None: never. link: where it
    leads; link_code: what of a short link stands behind the address that all of them have.
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
    link: str = ""
    link_code: str = ""

    @property
    def address(self) -> str:
        """The value of the reference: a phone number, an e-mail address.

        >>> Message("0" * 32, 1, "phone:13800001001", "sms", "hi", "hello").address
        '13800001001'
        """
        return self.to.partition(":")[2]

    @property
    def is_whole(self) -> bool:
        r"""Whether all of it can be written as UTF-8, which half of a character (a lone surrogate) cannot.

        >>> Message("0" * 32, 1, "phone:138", "sms", "hi", "\ud83d").is_whole
        False
        """
        try:
            "".join((self.to, self.text, self.title, self.link, *self.values.values())).encode()
        except UnicodeEncodeError:
            return False
        return True


class HeldBack(Exception):
    """A message that must not go out; the text says why."""
