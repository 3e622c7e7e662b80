"""What a checked rule means: its names resolved, ready for the machine.

Every node is a value: a whole number (truth is 0 or 1) or a text, possibly null. `TWO_VALUED` nodes are
never null.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from rules import opcodes
from rules.metric import MetricSpec


@dataclass(frozen=True)
class Constant:
    """A whole number or a truth value."""

    value: int


@dataclass(frozen=True)
class Text:
    """A text; its code is asked of the resolver."""

    value: str


@dataclass(frozen=True)
class MetricValue:
    """The value of a metric other than ``avg``."""

    metric: MetricSpec


@dataclass(frozen=True)
class AverageIs:
    """Truth of: the average <comparison> value (M2: never as a float). The comparison is an opcode's."""

    metric: MetricSpec
    comparison: int
    value: Meaning


@dataclass(frozen=True)
class MetricKnown:
    """Whether a metric is not null."""

    metric: MetricSpec


@dataclass(frozen=True)
class RfmValue:
    """A field of an RFM model; the fields are numbered in `rules.opcodes`."""

    model: str
    field: int


@dataclass(frozen=True)
class TagHeld:
    """Membership of a tag."""

    tag: str


@dataclass(frozen=True)
class ColumnValue:
    """A column of the row that is being judged or filtered."""

    source: str
    column: str


@dataclass(frozen=True)
class Not:
    operand: Meaning


@dataclass(frozen=True)
class All:
    """``&&`` of two or more truths, in order."""

    items: tuple[Meaning, ...]


@dataclass(frozen=True)
class Any:
    """``||`` of two or more truths, in order."""

    items: tuple[Meaning, ...]


@dataclass(frozen=True)
class Choose:
    test: Meaning
    then: Meaning
    otherwise: Meaning


@dataclass(frozen=True)
class Compare:
    """left <comparison> right; the comparison is an opcode's."""

    comparison: int
    left: Meaning
    right: Meaning


@dataclass(frozen=True)
class OneOf:
    """Whether the value is one of the items; null is none of them."""

    value: Meaning
    items: tuple[Constant | Text, ...]


@dataclass(frozen=True)
class Arithmetic:
    """left <operation> right; the operation is an opcode (`rules.opcodes.ADD` to ``MOD``)."""

    operation: int
    left: Meaning
    right: Meaning


@dataclass(frozen=True)
class Negate:
    operand: Meaning


@dataclass(frozen=True)
class Known:
    """Whether the value is not null."""

    operand: Meaning


Meaning: TypeAlias = (
    Constant | Text | MetricValue | AverageIs | MetricKnown | RfmValue | TagHeld | ColumnValue
    | Not | All | Any | Choose | Compare | OneOf | Arithmetic | Negate | Known
)  # fmt: skip
TWO_VALUED = (Constant, AverageIs, MetricKnown, TagHeld, Not, All, Any, Compare, OneOf, Known)


def is_two_valued(meaning: Meaning) -> bool:
    """Whether a truth value can never be null."""
    if isinstance(meaning, RfmValue):
        return meaning.field == opcodes.RFM_MEMBER
    return isinstance(meaning, TWO_VALUED)


def parts(meaning: Meaning) -> tuple[Meaning, ...]:
    """Return the values directly below, in the order in which the machine needs them."""
    match meaning:
        case AverageIs():
            return (meaning.value,)
        case Not() | Negate() | Known():
            return (meaning.operand,)
        case All() | Any():
            return meaning.items
        case Choose():
            return (meaning.test, meaning.then, meaning.otherwise)
        case Compare() | Arithmetic():
            return (meaning.left, meaning.right)
        case OneOf():
            return (meaning.value,)
        case _:
            return ()


def each(meaning: Meaning) -> Iterator[Meaning]:
    """Yield the value and everything below it, in order."""
    yield meaning
    for part in parts(meaning):
        yield from each(part)
