"""Judging a customer's tags: in the order of their dependencies, groups as one (semantics G2, G3)."""

from __future__ import annotations

from engine import state as s
from engine.effects import ENTERED, LEFT, emit_transition
from engine.jit import inlined, step
from tags.candidate import bit_of, is_candidate, judge_candidate, word_of
from triggers.occasions import note_tag


@step
def judge_tags(st: int, t: int) -> None:
    """Judge every marked tag of the touched customer at place t; tags are numbered in dependency order."""
    c = s.touched(st, t)
    words = s.tag_words(st)
    for w in range(words):
        at = t * words + w
        done = 0  # tags below this place of the word have been judged
        while s.touched_tags(st, at) >> done:
            while (s.touched_tags(st, at) >> done) & 1 == 0:
                done += 1
            tag = w * s.WORD + done
            done += 1
            if s.tag_group(st, tag) >= 0:
                done = judge_group(st, t, c, tag) - w * s.WORD
                if done >= s.WORD:
                    break
            else:
                judge_candidate(st, c, tag)
                settle(st, t, c, tag, is_candidate(st, c, tag))


@step
def judge_group(st: int, t: int, c: int, tag: int) -> int:
    """Judge an exclusive group: the first candidate in its order holds. Return the tag behind the group."""
    first, last = s.tag_group_first(st, tag), s.tag_group(st, tag)
    words = s.tag_words(st)
    winner = -1
    for k in range(first, last + 1):
        if s.touched_tags(st, t * words + k // s.WORD) & bit_of(st, k):
            judge_candidate(st, c, k)
        if winner < 0 and is_candidate(st, c, k):
            winner = k
    for k in range(first, last + 1):  # leaving precedes entering
        if k != winner:
            settle(st, t, c, k, False)
    if winner >= 0:
        settle(st, t, c, winner, True)
    return last + 1


@inlined
def settle(st: int, t: int, c: int, tag: int, holds: bool) -> None:
    """Set membership; a change is written down, marks the tags that read it and sets off triggers."""
    at, bit = word_of(st, c, tag), bit_of(st, tag)
    if (s.member(st, at) & bit != 0) == holds:
        return
    change_membership(st, t, c, tag, holds, at, bit)


@step
def change_membership(st: int, t: int, c: int, tag: int, holds: bool, at: int, bit: int) -> None:
    """Enter or leave a tag."""
    s.set_member(st, at, s.member(st, at) ^ bit)
    s.set_since(st, c * s.tags(st) + tag, s.clock(st) if holds else 0)
    words = s.tag_words(st)
    for w in range(words):
        s.set_touched_tags(
            st, t * words + w, s.touched_tags(st, t * words + w) | s.tag_readers(st, tag * words + w)
        )
    emit_transition(st, c, ENTERED if holds else LEFT, tag, -1, -1)
    note_tag(st, tag, holds)
