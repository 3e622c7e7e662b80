"""A message as a provider in the cloud takes it: number, template and variables, checked beforehand."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

from sinks.channels.message import Message

# Links belong into the approved template: isv.PARAM_NOT_SUPPORT_URL, ProhibitedUseUrlInTemplateParameter.
_LINK = re.compile(r"https?://|\bwww\.", re.IGNORECASE)
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


def checked(values: Mapping[str, str], names: Mapping[str, str | int], longest: int | None) -> dict[str, str]:
    """Return the texts of a Chinese provider's variables by its own names.

    names: our name to theirs. longest: characters of one variable, None where the provider says it.
    Raises Unfit where a value is missing, empty, too long, or holds a link.
    """
    filled: dict[str, str] = {}
    for ours, theirs in names.items():
        text = values.get(ours, "")
        if not text:
            raise Unfit(f"'{ours}' is not known of this customer")
        if _LINK.search(text):
            raise Unfit(f"'{ours}' holds a link: links stand in the template only")
        if longest is not None and len(text) > longest:
            raise Unfit(f"'{ours}' has {len(text)} characters, a variable may have {longest}")
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
