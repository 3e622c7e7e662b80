"""What sets a trigger off, noted while a customer is judged and acted upon when all tags stand (D1)."""

from __future__ import annotations

from engine import state as s
from engine.jit import step

EVENT, ENTER, LEAVE, ABSENCE, SCHEDULE = range(5)
INSERT, UPDATE, DELETE = 1, 2, 4


@step
def note(st: int, trigger: int, row: int) -> None:
    """Note that the customer being judged sets a trigger off; decisions exist only in live mode (T5).

    row: the batch index of the row that is the occasion, or -1.
    """
    if s.mode_now(st) != 1 or s.trigger_paused(st, trigger):
        return
    if s.activation(st) and not s.trigger_activates(st, trigger):
        return
    n = s.occasions_used(st)
    for k in range(n):
        if s.occasion_trigger(st, k) == trigger:
            return
    s.set_occasion_trigger(st, n, trigger)
    s.set_occasion_row(st, n, row)
    s.set_occasions_used(st, n + 1)


@step
def note_tag(st: int, tag: int, entered: bool) -> None:
    """Note the triggers on entering or leaving a tag."""
    if entered:
        for k in range(s.tag_enter(st, tag), s.tag_enter(st, tag + 1)):
            note(st, s.enter_trigger(st, k), -1)
    else:
        for k in range(s.tag_leave(st, tag), s.tag_leave(st, tag + 1)):
            note(st, s.leave_trigger(st, k), -1)


@step
def note_segment(st: int, model: int, before: int, after: int) -> None:
    """Note the triggers on leaving the segment before and entering the one after."""
    for k in range(s.segment_leaves(st)):
        if s.segment_leave(st, 3 * k) == model and s.segment_leave(st, 3 * k + 1) == before:
            note(st, s.segment_leave(st, 3 * k + 2), -1)
    for k in range(s.segment_enters(st)):
        if s.segment_enter(st, 3 * k) == model and s.segment_enter(st, 3 * k + 1) == after:
            note(st, s.segment_enter(st, 3 * k + 2), -1)


@step
def still_holds(st: int, trigger: int, c: int) -> bool:
    """Whether the membership that set an enter or leave trigger off has not turned back."""
    how = s.trigger_occasion(st, trigger)
    if how != ENTER and how != LEAVE:
        return True
    what = s.trigger_holds(st, trigger)
    if what >= 0:
        inside = s.member(st, c * s.tag_words(st) + what // s.WORD) >> (what % s.WORD) & 1 == 1
    else:
        inside = s.segment(st, c * s.models(st) + s.trigger_model(st, trigger)) == -1 - what
    return inside == (how == ENTER)
