"""From a rule's truth to candidacy: sticky, max, and tags set by hand (semantics G1)."""

from __future__ import annotations

from engine import state as s
from engine.jit import inlined, step
from profiles import facts, timers
from rules.evaluate import is_true


@inlined
def bit_of(st: int, tag: int) -> int:
    """Return the bit of a tag in its word."""
    return 1 << (tag % s.WORD)


@inlined
def word_of(st: int, c: int, tag: int) -> int:
    """Return the place of a customer's word that holds a tag's bit."""
    return c * s.tag_words(st) + tag // s.WORD


@step
def judge_candidate(st: int, c: int, tag: int) -> None:
    """Evaluate a tag's rule and bring its truth and candidacy up to the clock."""
    at, bit = word_of(st, c, tag), bit_of(st, tag)
    program = s.tag_program(st, tag)
    was, true_now = s.truth(st, at) & bit != 0, program >= 0 and is_true(st, program, c, -1)
    if true_now != was:
        s.set_truth(st, at, s.truth(st, at) ^ bit)
    held = s.candidate(st, at) & bit != 0
    if s.tag_end(st, tag) < 0:
        if true_now != held:
            s.set_candidate(st, at, s.candidate(st, at) ^ bit)
        return
    if judge_ends(st, c, tag, at, bit, was, true_now, held) != held:
        s.set_candidate(st, at, s.candidate(st, at) ^ bit)


@step
def judge_ends(st: int, c: int, tag: int, at: int, bit: int, was: bool, true_now: bool, held: bool) -> bool:
    """Return whether a tag with sticky or max is candidate now; start what will end it."""
    end = c * s.ends(st) + s.tag_end(st, tag)
    if held and s.until(st, end) != 0 and s.clock(st) >= s.until(st, end):
        held = False
        if true_now and was:
            s.set_spent(st, at, s.spent(st, at) | bit)
    if not true_now:
        s.set_spent(st, at, s.spent(st, at) & ~bit)
        if not held or s.tag_sticky(st, tag) == 0:
            s.set_until(st, end, 0)
            return False
        if was:  # truth has just ended: candidacy outlives it, but not beyond max
            stays = s.clock(st) + s.tag_sticky(st, tag)
            longest = s.until(st, end + 1)
            set_end(st, c, tag, end, min(stays, longest) if longest else stays)
        return True
    if s.spent(st, at) & bit:
        return False
    if not held:
        longest = s.clock(st) + s.tag_max(st, tag) if s.tag_max(st, tag) else 0
        s.set_until(st, end + 1, longest)
        set_end(st, c, tag, end, longest)
    elif not was:  # true again: sticky no longer counts down
        set_end(st, c, tag, end, s.until(st, end + 1))
    return True


@step
def set_end(st: int, c: int, tag: int, end: int, minute: int) -> None:
    """Note the minute at which a tag falls (0: none), and wake up then."""
    s.set_until(st, end, minute)
    if minute:
        timers.start(st, minute, timers.TAG_ENDS, tag, c, 0, 0)


@step
def is_candidate(st: int, c: int, tag: int) -> bool:
    """Whether a tag wants membership: as set by hand, or else as candidacy says."""
    at, bit = word_of(st, c, tag), bit_of(st, tag)
    if s.manual(st, at) & bit:
        fact = facts.find(st, c, facts.MANUAL, tag)
        return facts.value(st, fact, 0) == 1
    return s.candidate(st, at) & bit != 0


@step
def set_by_hand(st: int, c: int, tag: int, on: int, until: int) -> None:
    """Set (on 1), unset (0) or release (2) a tag by hand, until a minute (0: without end)."""
    at, bit = word_of(st, c, tag), bit_of(st, tag)
    if on == 2 or (until and until <= s.clock(st)):
        if s.manual(st, at) & bit:
            release(st, c, tag)
        return
    fact = facts.find_or_add(st, c, facts.MANUAL, tag)
    facts.set_value(st, fact, 0, on)
    facts.set_value(st, fact, 1, until)
    s.set_manual(st, at, s.manual(st, at) | bit)
    if until:
        timers.start(st, until, timers.MANUAL_ENDS, tag, c, 0, 0)


@step
def release(st: int, c: int, tag: int) -> None:
    """Give a tag set by hand back to its rule."""
    at = word_of(st, c, tag)
    s.set_manual(st, at, s.manual(st, at) & ~bit_of(st, tag))
    facts.remove(st, facts.find(st, c, facts.MANUAL, tag))
