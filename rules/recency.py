"""Recency in a rule: a statement on trailing windows, true to the minute (semantics R6)."""

from __future__ import annotations

from profiles.windows import LONGEST_MINUTES, Window
from rules import opcodes
from rules.error import error_at
from rules.meaning import All, Compare, Constant, Meaning, MetricValue, Not, RfmValue
from rules.rfm_plan import RfmPlan
from rules.syntax import Span

_MINUTES = {"minute": 1, "day": 1440}


def in_population(plan: RfmPlan) -> Meaning:
    """Return the truth of having a counted order in the model's window: recency is not null (R2)."""
    return RfmValue(plan.model.name, opcodes.RFM_MEMBER)


def compare_recency(plan: RfmPlan, comparison: int, limit: int, span: Span) -> Meaning:
    """Return what ``recency <comparison> limit`` means; the limit is in the model's unit.

    Raises RuleError for a model whose window does not end at the clock, and beyond 20 years.
    """
    if plan.window.offset:
        problem = f"recency of '{plan.model.name}' ends with its window '{plan.window}', not now"
        raise error_at(span, problem, "recency can be compared only where the window has no offset")
    member = in_population(plan)
    match comparison:
        case opcodes.GT:
            return All((member, Not(_within(plan, limit + 1, span))))
        case opcodes.GE:
            return All((member, Not(_within(plan, limit, span))))
        case opcodes.LE:
            return All((member, _within(plan, limit + 1, span)))
        case opcodes.LT:
            return All((member, _within(plan, limit, span)))
        case _:
            exact = All((member, _within(plan, limit + 1, span), Not(_within(plan, limit, span))))
            return exact if comparison == opcodes.EQ else Not(exact)


def _within(plan: RfmPlan, units: int, span: Span) -> Meaning:
    """Whether a counted order lies in the trailing window of so many units; of none or less: no."""
    minutes = units * _MINUTES[plan.model.recency_unit]
    if minutes <= 0:
        return Constant(0)
    if minutes > LONGEST_MINUTES:
        problem = f"{units} {plan.model.recency_unit}s are more than 20 years"
        raise error_at(span, problem, "write a lower limit")
    # of a member, the newest counted order of all lies in the model's window: its low edge needs no care
    orders = MetricValue(plan.orders(Window("trailing", minutes)))
    return Compare(opcodes.GT, orders, Constant(0))
