"""A checked rule to a program of the rule machine (`rules.opcodes`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from rules import opcodes as op
from rules.check import Checked
from rules.error import error_at
from rules.meaning import (
    All,
    Any,
    Arithmetic,
    AverageIs,
    Choose,
    ColumnValue,
    Compare,
    Constant,
    Known,
    Meaning,
    MetricKnown,
    MetricValue,
    Negate,
    Not,
    OneOf,
    RfmValue,
    TagHeld,
    Text,
)
from rules.metric import MetricSpec

HIGHEST_STACK = 64  # values; the machine's stack
Instruction = tuple[int, int, int]


class Resolver(Protocol):
    """Gives the machine's number of everything a rule names."""

    def metric(self, spec: MetricSpec) -> int:
        """Return the place of a metric."""

    def tag(self, name: str) -> int:
        """Return the place of a tag."""

    def rfm(self, model: str) -> int:
        """Return the place of an RFM model."""

    def column(self, source: str, column: str) -> int:
        """Return the place of a column among the row values of its source."""

    def text(self, value: str) -> int:
        """Return the code of a text; a new one for a text that no row has held."""


@dataclass(frozen=True)
class Program:
    """``code``: instructions (op, a, b), jumps being absolute places in it; ``constants``: the items of
    lists; ``stack``: how many values it needs at most. The result is the one value left.
    """

    code: tuple[Instruction, ...]
    constants: tuple[int, ...]
    stack: int


def compile_rule(checked: Checked, resolver: Resolver) -> Program:
    """Compile a checked rule.

    Raises RuleError for an average, which has no value (M4), and where the stack would not do.
    """
    if checked.type.kind == "average":
        hint = "compare it, or ask has()"
        raise error_at(checked.node.span, "an average has no value of its own (M4)", hint)
    compiler = _Compiler(resolver)
    compiler.push(checked.meaning)
    if compiler.stack > HIGHEST_STACK:
        problem = f"the rule needs {compiler.stack} values at once, the limit is {HIGHEST_STACK}"
        raise error_at(checked.node.span, problem, "make a part of it a tag or metric of its own")
    return Program(tuple(compiler.code), tuple(compiler.constants), compiler.stack)


class _Compiler:
    """Appends instructions; ``_height`` is the number of values on the stack where it stands."""

    def __init__(self, resolver: Resolver) -> None:
        self.code: list[Instruction] = []
        self.constants: list[int] = []
        self.stack = 0
        self._resolver, self._height = resolver, 0

    def push(self, meaning: Meaning) -> None:
        """Append what leaves the value of ``meaning`` on the stack."""
        match meaning:
            case All():
                self._chain(op.JUMP_FALSE, meaning.items)
            case Any():
                self._chain(op.JUMP_TRUE, meaning.items)
            case Choose():
                self._choose(meaning)
            case Not():
                self._after(meaning.operand, op.NOT)
            case Negate():
                self._after(meaning.operand, op.NEG)
            case Known():
                self._after(meaning.operand, op.HAS)
            case AverageIs():
                place = self._resolver.metric(meaning.metric)
                self._after(meaning.value, op.AVG_CMP, place, meaning.comparison)
            case OneOf():
                self._one_of(meaning)
            case Compare():
                self._pair(meaning.left, meaning.right, op.CMP, meaning.comparison)
            case Arithmetic():
                self._pair(meaning.left, meaning.right, meaning.operation)
            case _:
                self._add(*self._operand(meaning), grows=1)

    def _operand(self, meaning: Meaning) -> Instruction:
        match meaning:
            case Constant():
                return op.CONST, meaning.value, 0
            case Text():
                return op.CONST, self._resolver.text(meaning.value), 0
            case MetricValue():
                return op.METRIC, self._resolver.metric(meaning.metric), 0
            case MetricKnown():
                return op.HAS_METRIC, self._resolver.metric(meaning.metric), 0
            case RfmValue():
                return op.RFM, self._resolver.rfm(meaning.model), meaning.field
            case TagHeld():
                return op.TAG, self._resolver.tag(meaning.tag), 0
            case ColumnValue():
                return op.COLUMN, self._resolver.column(meaning.source, meaning.column), 0
        raise AssertionError(f"no instruction pushes {meaning}")

    def _add(self, what: int, a: int = 0, b: int = 0, *, grows: int = 0) -> None:
        self.code.append((what, a, b))
        self._height += grows
        self.stack = max(self.stack, self._height)

    def _after(self, operand: Meaning, what: int, a: int = 0, b: int = 0) -> None:
        self.push(operand)
        self._add(what, a, b)

    def _pair(self, left: Meaning, right: Meaning, what: int, a: int = 0) -> None:
        self.push(left)
        self.push(right)
        self._add(what, a, grows=-1)

    def _one_of(self, meaning: OneOf) -> None:
        self.push(meaning.value)
        start = len(self.constants)
        for item in meaning.items:
            self.constants.append(self._resolver.text(item.value) if isinstance(item, Text) else item.value)
        self._add(op.IN, start, len(meaning.items))

    def _chain(self, jump: int, items: tuple[Meaning, ...]) -> None:
        """``&&`` or ``||``: each item but the last may end the whole."""
        jumps = []
        for item in items[:-1]:
            self.push(item)
            jumps.append(len(self.code))
            self._add(jump, grows=-1)  # jumping keeps the value, going on drops it
        self.push(items[-1])
        self._land(*jumps)

    def _choose(self, meaning: Choose) -> None:
        self.push(meaning.test)
        branch = len(self.code)
        self._add(op.BRANCH, grows=-1)
        self.push(meaning.then)
        over = len(self.code)
        self._add(op.JUMP, grows=-1)  # the other way finds the stack without this value
        self._land(branch)
        self.push(meaning.otherwise)
        self._land(over)

    def _land(self, *jumps: int) -> None:
        """Let the jumps at these places lead here."""
        for place in jumps:
            self.code[place] = (self.code[place][0], len(self.code), 0)
