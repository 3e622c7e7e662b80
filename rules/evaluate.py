"""The rule machine: runs a program of `rules.opcodes` for one customer, and one row where there is one."""

from __future__ import annotations

from engine import state as s
from engine.jit import inlined, step
from profiles import metrics
from rules import opcodes as op

INT_MIN = -(1 << 63)
INT_MAX = (1 << 63) - 1
HALF = 1 << 31


@step
def is_true(st: int, program: int, c: int, i: int) -> bool:
    """Whether a rule holds for customer c; i is the batch index of the row it may read, or -1."""
    run(st, program, c, i)
    return s.stack_value(st, 0) == 1


@step
def run(st: int, program: int, c: int, i: int) -> None:
    """Run a program; its result is left at the bottom of the stack."""
    at, end = s.program_start(st, program), s.program_start(st, program + 1)
    first, constants = at, s.program_constant(st, program)
    top = -1
    while at < end:
        what, a, b = s.code(st, 3 * at), s.code(st, 3 * at + 1), s.code(st, 3 * at + 2)
        at += 1
        if what <= op.COLUMN or what == op.HAS_METRIC:
            top = push_operand(st, what, a, b, c, i, top)
        elif what == op.CMP:
            top -= 1
            s.set_stack_value(st, top, compare_top(st, top, a))
            s.set_stack_null(st, top, 0)
        elif what == op.JUMP_FALSE or what == op.JUMP_TRUE:
            if s.stack_value(st, top) == (1 if what == op.JUMP_TRUE else 0):
                at = first + a
            else:
                top -= 1
        elif what == op.NOT:
            s.set_stack_value(st, top, 1 - s.stack_value(st, top))
        elif what == op.BRANCH:
            if s.stack_value(st, top) == 0:
                at = first + a
            top -= 1
        elif what == op.JUMP:
            at = first + a
        elif what == op.IN:
            s.set_stack_value(st, top, is_among(st, top, constants + a, b))
            s.set_stack_null(st, top, 0)
        elif what == op.HAS:
            s.set_stack_value(st, top, 1 - s.stack_null(st, top))
            s.set_stack_null(st, top, 0)
        elif what == op.NEG:
            negate(st, top)
        else:
            top -= 1
            calculate(st, top, what)


@inlined
def push_operand(st: int, what: int, a: int, b: int, c: int, i: int, top: int) -> int:
    """Push what an instruction names; AVG_CMP compares with the top instead. Return the new top."""
    value, null = 0, 0
    if what == op.AVG_CMP:
        value = compare_average(st, c, a, b, s.stack_value(st, top), s.stack_null(st, top))
        top -= 1
    elif what == op.METRIC:
        null = 0 if metrics.is_known(st, c, a) else 1
        if null == 0:
            value = metrics.read(st, c, a)
    elif what == op.CONST:
        value = a
    elif what == op.TAG:
        value = s.member(st, c * s.tag_words(st) + a // s.WORD) >> (a % s.WORD) & 1
    elif what == op.COLUMN:
        null = s.b_null(st, i) >> a & 1
        value = s.b_value(st, i * s.row_values(st) + a)
    elif what == op.RFM:
        value = rfm_field(st, c * s.models(st) + a, b)
        null = rfm_null(st, c * s.models(st) + a, b)
    elif what == op.HAS_METRIC:
        value = 1 if metrics.is_known(st, c, a) else 0
    else:
        null = 1
    top += 1
    s.set_stack_value(st, top, value)
    s.set_stack_null(st, top, null)
    return top


@inlined
def rfm_field(st: int, at: int, field: int) -> int:
    """Return a field of a customer's RFM model (place at)."""
    if field == op.RFM_FREQUENCY:
        return s.frequency(st, at)
    if field == op.RFM_MONETARY:
        return s.monetary(st, at)
    if field == op.RFM_R:
        return s.score_r(st, at)
    if field == op.RFM_F:
        return s.score_f(st, at)
    if field == op.RFM_M:
        return s.score_m(st, at)
    if field == op.RFM_SCORE:
        return 100 * s.score_r(st, at) + 10 * s.score_f(st, at) + s.score_m(st, at)
    if field == op.RFM_SEGMENT:
        return s.segment(st, at)
    return 1 if s.recent(st, at) >= 0 else 0


@inlined
def rfm_null(st: int, at: int, field: int) -> int:
    """Whether a field is null: values outside the population, scores before any cut points (R2, R3)."""
    if field == op.RFM_MEMBER:
        return 0
    if field == op.RFM_FREQUENCY or field == op.RFM_MONETARY:
        return 1 if s.recent(st, at) < 0 else 0
    return 1 if s.score_r(st, at) == 0 else 0


@inlined
def compare(x: int, y: int, how: int) -> int:
    """Compare two known values."""
    if how == op.EQ:
        return 1 if x == y else 0
    if how == op.NE:
        return 1 if x != y else 0
    if how == op.LT:
        return 1 if x < y else 0
    if how == op.LE:
        return 1 if x <= y else 0
    if how == op.GT:
        return 1 if x > y else 0
    return 1 if x >= y else 0


@inlined
def compare_top(st: int, top: int, how: int) -> int:
    """Compare the value at ``top`` with the one above it; with null only != is true (M2)."""
    if s.stack_null(st, top) or s.stack_null(st, top + 1):
        return 1 if how == op.NE else 0
    return compare(s.stack_value(st, top), s.stack_value(st, top + 1), how)


@step
def compare_average(st: int, c: int, m: int, how: int, value: int, null: int) -> int:
    """Compare sum with value x count without multiplying: by quotient and remainder (M2)."""
    if null or not metrics.is_known(st, c, m):
        return 1 if how == op.NE else 0
    total, count = s.slot(st, metrics.slot_place(st, c, m)), metrics.tally_of(st, c, m)
    quotient = total // count
    exact = quotient * count == total
    if quotient == value and not exact:  # the average lies between value and value + 1
        return 1 if how == op.NE or how == op.GT or how == op.GE else 0
    return compare(quotient, value, how)


@step
def is_among(st: int, top: int, first: int, count: int) -> int:
    """Whether the value at ``top`` is one of ``count`` constants."""
    if s.stack_null(st, top):
        return 0
    for k in range(first, first + count):
        if s.constant(st, k) == s.stack_value(st, top):
            return 1
    return 0


@step
def negate(st: int, top: int) -> None:
    """Change the sign; the least number has no opposite (M4)."""
    if s.stack_value(st, top) == INT_MIN:
        s.set_stack_null(st, top, 1)
    else:
        s.set_stack_value(st, top, -s.stack_value(st, top))


@step
def calculate(st: int, top: int, what: int) -> None:
    """Replace x at ``top`` and y above it by x <operation> y; null on null, overflow, division by 0 (M4)."""
    x, y = s.stack_value(st, top), s.stack_value(st, top + 1)
    null = s.stack_null(st, top) | s.stack_null(st, top + 1)
    value = 0
    if null == 0:
        if what == op.ADD:
            null = 1 if (y > 0 and x > INT_MAX - y) or (y < 0 and x < INT_MIN - y) else 0
            value = 0 if null else x + y
        elif what == op.SUB:
            null = 1 if (y < 0 and x > INT_MAX + y) or (y > 0 and x < INT_MIN + y) else 0
            value = 0 if null else x - y
        elif what == op.MUL:
            null = 0 if product_fits(x, y) else 1
            value = 0 if null else x * y
        elif y == 0 or (x == INT_MIN and y == -1):
            null = 0 if what == op.MOD and y != 0 else 1  # a remainder cannot overflow
        else:
            quotient = x // y
            if quotient < 0 and quotient * y != x:
                quotient += 1  # toward zero, as in CEL
            value = quotient if what == op.DIV else x - quotient * y
    s.set_stack_value(st, top, value)
    s.set_stack_null(st, top, 1 if null else 0)


@step
def product_fits(x: int, y: int) -> bool:
    """Whether x y fits 64 bits."""
    if x == 0 or y == 0:
        return True
    if -HALF < x < HALF and -HALF < y < HALF:
        return True
    if x == INT_MIN:
        return y == 1
    if y == INT_MIN:
        return x == 1
    negative = (x < 0) != (y < 0)
    a, b = abs(x), abs(y)
    if a <= INT_MAX // b:
        return True
    return negative and -a == INT_MIN // b and -a * b == INT_MIN
