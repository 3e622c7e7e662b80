"""Judging a touched customer: scores, then tags, then what they set off."""

from __future__ import annotations

from engine import state as s
from engine.effects import SEGMENT, emit_transition
from engine.jit import step
from rfm.scores import rescore
from rfm.values import read_values
from tags.judge import judge_tags
from triggers.decide import look_at_waiting
from triggers.occasions import note_segment


@step
def read_touched_values(st: int, t: int) -> None:
    """Read the RFM values of the touched customer at place t again."""
    c, models = s.touched(st, t), s.touched_models(st, t)
    for model in range(s.models(st)):
        if models >> model & 1:
            read_values(st, c, model)


@step
def judge(st: int, t: int) -> None:
    """Judge the touched customer at place t once; nobody judges who is erased.

    What they set off is noted, for the caller to act upon or to put aside.
    """
    c = s.touched(st, t)
    if s.customer_gone(st, c):
        return
    models, words = s.touched_models(st, t), s.tag_words(st)
    for model in range(s.models(st)):
        if models >> model & 1 == 0:
            continue
        before = s.segment(st, c * s.models(st) + model)
        rescore(st, c, model)
        after = s.segment(st, c * s.models(st) + model)
        for w in range(words):
            bits = s.touched_tags(st, t * words + w) | s.model_tags(st, model * words + w)
            s.set_touched_tags(st, t * words + w, bits)
        if before != after:
            emit_transition(st, c, SEGMENT, model, before, after)
            note_segment(st, model, before, after)
    judge_tags(st, t)
    if s.waiting_triggers(st):
        look_at_waiting(st, c)
