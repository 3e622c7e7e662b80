"""The second of two plain readings of a rule: a rule machine that runs its bytecode. A null is None."""

from __future__ import annotations

from typing import TypeVar

from rules import opcodes as op
from rules.bytecode import Program
from rules.metric import MetricSpec
from tests.rules.tree_reading import Customer, Value, arithmetic

T = TypeVar("T")
OPERATIONS = {op.ADD: "+", op.SUB: "-", op.MUL: "*", op.DIV: "/", op.MOD: "%"}
SCORES = {
    op.RFM_FREQUENCY: "frequency", op.RFM_MONETARY: "monetary", op.RFM_R: "r", op.RFM_F: "f", op.RFM_M: "m",
    op.RFM_SCORE: "score",
}  # fmt: skip


class Places:
    """A resolver that gives out places in order of asking, and remembers what stands there."""

    def __init__(self) -> None:
        self.metrics: list[MetricSpec] = []
        self.tags: list[str] = []
        self.columns: list[tuple[str, str]] = []
        self.texts: list[str] = []
        self.models: list[str] = []

    def metric(self, spec: MetricSpec) -> int:
        return _place(self.metrics, spec)

    def tag(self, name: str) -> int:
        return _place(self.tags, name)

    def rfm(self, model: str) -> int:
        return _place(self.models, model)

    def column(self, source: str, column: str) -> int:
        return _place(self.columns, (source, column))

    def text(self, value: str) -> int:
        return 1000 + _place(self.texts, value)


def _place(things: list[T], thing: T) -> int:
    if thing not in things:
        things.append(thing)
    return things.index(thing)


def _compare(how: int, x: int | None, y: int | None) -> int:
    if x is None or y is None:
        return int(how == op.NE)
    return int((x == y, x != y, x < y, x <= y, x > y, x >= y)[how])


class Machine:
    """Runs one program for one customer; ``highest`` is the number of values it held at most."""

    def __init__(self, program: Program, places: Places, who: Customer) -> None:
        self._program, self._places, self._who = program, places, who
        self._stack: list[int | None] = []
        self.highest = 0

    def run(self) -> int | None:
        """Return the value that is left; there must be one alone."""
        at = 0
        while at < len(self._program.code):
            at = self._step(at + 1, *self._program.code[at])
            self.highest = max(self.highest, len(self._stack))
        (value,) = self._stack
        return value

    def _step(self, at: int, what: int, a: int, b: int) -> int:
        stack = self._stack
        if what in (op.CONST, op.METRIC, op.RFM, op.TAG, op.COLUMN, op.HAS_METRIC):
            stack.append(self._operand(what, a, b))
        elif what in (op.JUMP_FALSE, op.JUMP_TRUE):
            if stack[-1] == (what == op.JUMP_TRUE):
                return a
            stack.pop()
        elif what == op.JUMP:
            return a
        elif what == op.BRANCH:
            return a if stack.pop() == 0 else at
        else:
            y = stack.pop()
            stack.append(self._operate(what, a, b, y))
        return at

    def _operate(self, what: int, a: int, b: int, y: int | None) -> int | None:
        """An instruction that takes y, and x below it where it needs two."""
        if what == op.NOT:
            assert y is not None
            return 1 - y
        if what == op.HAS:
            return int(y is not None)
        if what == op.NEG:
            return arithmetic("-", 0, y)
        if what == op.IN:
            return int(y in self._program.constants[a : a + b])
        if what == op.AVG_CMP:
            found = self._who.averages[self._places.metrics[a].key]
            if found is None or y is None:
                return _compare(b, None, None)
            return _compare(b, found[0], y * found[1])
        x = self._stack.pop()
        return _compare(a, x, y) if what == op.CMP else arithmetic(OPERATIONS[what], x, y)

    def _operand(self, what: int, a: int, b: int) -> int | None:
        who, places = self._who, self._places
        if what == op.CONST:
            return a
        if what == op.METRIC:
            return self._code(who.metric(places.metrics[a]))
        if what == op.HAS_METRIC:
            return int(who.averages[places.metrics[a].key] is not None)
        if what == op.TAG:
            return int(places.tags[a] in who.tags)
        if what == op.COLUMN:
            return self._code(who.row[places.columns[a][1]])
        if b == op.RFM_SEGMENT:
            return who.segment
        return int(who.is_member) if b == op.RFM_MEMBER else who.scores[SCORES[b]]

    def _code(self, value: Value) -> int | None:
        return self._places.text(value) if isinstance(value, str) else value
