"""A message as a provider in the cloud takes it: number, template and variables, checked beforehand."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

from sinks.channels.message import Message
from sinks.texts.texts import LINK

# Links belong into the approved template: isv.PARAM_NOT_SUPPORT_URL, ProhibitedUseUrlInTemplateParameter.
_LINK = re.compile(r"https?://|\bwww\.", re.IGNORECASE)
# Of one variable where nobody says less: Alibaba's longest text, signature and all. What is far longer would
# break the request that others are in.
LONGEST = 500
_MAINLAND = re.compile(r"(?:\+|00)?(?:86)?(1\d{10})")


class Unfit(Exception):
    """A message that this provider will never take; the text says why."""


@dataclass(frozen=True)
class Prepared:
    """A message with its number, the provider's template and the texts of its variables, by their names."""

    message: Message
    number: str
    template: str
    variables: Mapping[str, str]


def number_of(address: str) -> str:
    """Return a number as the product writes it: mainland China with 11 digits, others with + before them.

    >>> [number_of(text) for text in ("+86 138-0000-1001", "008613800001001", "13800001001", "0085212345678")]
    ['13800001001', '13800001001', '13800001001', '+85212345678']
    """
    bare = re.sub(r"[\s()-]", "", address)
    if found := _MAINLAND.fullmatch(bare):
        return found[1]
    return "+" + bare.removeprefix("+").removeprefix("00")


def number_to(address: str) -> str:
    """Return a number that may be written to, as `number_of`. Raises Unfit."""
    number = number_of(address)
    if not re.fullmatch(r"\+?[0-9]{1,20}", number):
        raise Unfit("the address is no telephone number")
    return number


def checked(message: Message, names: Mapping[str, str | int], longest: int | None) -> dict[str, str]:
    """Return the texts of a Chinese provider's variables by its own names.

    names: our name to theirs. A link is its code: the address before it stands in the approved template.
    longest: characters of one variable, LONGEST where that is None. Raises Unfit where a value is missing,
    empty, too long, or holds a link.
    """
    filled: dict[str, str] = {}
    for ours, theirs in names.items():
        text = message.link_code if ours == LINK else message.values.get(ours, "")
        if not text:
            raise Unfit(f"'{ours}' is not known of this customer")
        if _LINK.search(text):
            raise Unfit(f"'{ours}' holds a link: links stand in the template only")
        if len(text) > (longest or LONGEST):
            raise Unfit(f"'{ours}' has {len(text)} characters, a variable may have {longest or LONGEST}")
        filled[str(theirs)] = text
    return filled


def grouped(
    prepared: Sequence[Prepared], alike: Callable[[Prepared], Hashable], most: int
) -> list[list[Prepared]]:
    """Put what is alike in one request each, at most so many, and no number twice in one."""
    whole: list[list[Prepared]] = []
    growing: dict[Hashable, tuple[list[Prepared], set[str]]] = {}
    for one in prepared:
        group, numbers = growing.get(alike(one), ([], set()))
        if not group or len(group) == most or one.number in numbers:
            group, numbers = [], set()
            growing[alike(one)] = (group, numbers)
            whole.append(group)
        group.append(one)
        numbers.add(one.number)
    return whole


def parts_of(text: str) -> int:
    """Return how many messages a text with its signature is charged as in China: one to 70 characters, else
    one for each 67.

    >>> [parts_of("字" * length) for length in (1, 70, 71, 134, 135)]
    [1, 1, 2, 2, 3]
    """
    return 1 if len(text) <= 70 else -(-len(text) // 67)
