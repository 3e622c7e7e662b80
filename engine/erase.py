"""Erasing a customer: everything held on them goes in one step, and nothing is set off (semantics P7)."""

from __future__ import annotations

from engine import guard_state as g
from engine import state as s
from engine.effects import LEFT, SEGMENT, emit_transition
from engine.jit import step
from engine.row_step import change_row
from engine.touched import clear_touched, note_changed
from profiles import directory, facts, lists, rows
from profiles.customers import forget_customer
from profiles.extremes import find_lost_extremes
from rfm.scores import rescore
from rfm.values import read_values
from tags.candidate import bit_of, word_of
from triggers.caps import PARTS


@step
def erase(st: int, c: int) -> None:
    """Forget customer c, if there is one; whoever comes under the same id later is new.

    Rows leave their windows and their positions stay (W3); segments and tags are left, in the order in which
    they are judged; triggers neither hear of it nor remember anything.
    """
    if c < 0:
        return
    note_changed(st, c)
    for source in range(s.sources(st)):
        retract_source(st, c, source)
    find_lost_extremes(st)
    leave_segments(st, c)
    leave_tags(st, c)
    forget_facts(st, c)
    for w in range(s.own_windows(st)):
        s.set_own_due(st, c * s.own_windows(st) + w, 0)
    clear_touched(st)
    forget_customer(st, c)


@step
def retract_source(st: int, c: int, source: int) -> None:
    """Take every row of a source back."""
    h = c * s.sources(st) + source
    while s.list_size(st, h):
        row = lists.row_at(st, h, s.list_size(st, h) - 1)
        change_row(st, row, source, c, s.row_minute(st, row), -1)
        directory.bury(st, s.row_entry(st, row), directory.DELETED)
        rows.free_row(st, row, source)


@step
def leave_segments(st: int, c: int) -> None:
    """Leave the population and the segment of every model."""
    for model in range(s.models(st)):
        before = s.segment(st, c * s.models(st) + model)
        read_values(st, c, model)
        rescore(st, c, model)
        after = s.segment(st, c * s.models(st) + model)
        if before != after:
            emit_transition(st, c, SEGMENT, model, before, after)


@step
def leave_tags(st: int, c: int) -> None:
    """Leave every tag, also those that stick or were set by hand."""
    for tag in range(s.tags(st)):
        at, bit = word_of(st, c, tag), bit_of(st, tag)
        if s.member(st, at) & bit:
            s.set_since(st, c * s.tags(st) + tag, 0)
            emit_transition(st, c, LEFT, tag, -1, -1)
        if s.tag_end(st, tag) >= 0:
            s.set_until(st, c * s.ends(st) + s.tag_end(st, tag), 0)
            s.set_until(st, c * s.ends(st) + s.tag_end(st, tag) + 1, 0)
    for w in range(s.tag_words(st)):
        at = c * s.tag_words(st) + w
        s.set_truth(st, at, 0)
        s.set_candidate(st, at, 0)
        s.set_member(st, at, 0)
        s.set_spent(st, at, 0)
        s.set_manual(st, at, 0)


@step
def forget_facts(st: int, c: int) -> None:
    """Forget tags by hand, consents and what triggers remember: their timers then find nothing."""
    for tag in range(s.tags(st)):
        forget_fact(st, c, facts.MANUAL, tag)
    for consent in range(1, s.triggers(st) + 1):  # a trigger asks for one consent at most
        forget_fact(st, c, facts.CONSENT, consent)
    for trigger in range(s.triggers(st)):
        forget_fact(st, c, facts.ACTED, trigger)
        forget_fact(st, c, facts.WAITING, trigger)
        forget_fact(st, c, facts.ABSENT, trigger)
        forget_fact(st, c, facts.HELD, trigger)
    for cap in range(g.caps(st)):
        for part in range(PARTS):
            forget_fact(st, c, facts.SLOT, cap * PARTS + part)


@step
def forget_fact(st: int, c: int, kind: int, number: int) -> None:
    """Forget one fact, if there is one."""
    place = facts.find(st, c, kind, number)
    if place >= 0:
        facts.remove(st, place)
