"""Who is touched in a step, and what about them must be looked at again."""

from __future__ import annotations

from engine import state as s
from engine.heap import heap_sort
from engine.jit import inlined, step
from profiles.customers import id_less

CHANGED = -1  # of customer_touch: not touched now, but in the list of the changed


@inlined
def note_changed(st: int, c: int) -> None:
    """Let the customer's profile be written by the next commit (`Partition.take_changed`)."""
    if s.customer_touch(st, c) == 0:
        n = s.changed_used(st)
        s.set_changed_used(st, n + 1)
        s.set_changed(st, n, c)
        s.set_customer_touch(st, c, CHANGED)


@inlined
def touch(st: int, c: int) -> int:
    """Return the customer's place in the touched list, a new one where there was none."""
    t = s.customer_touch(st, c) - 1
    if t >= 0:
        return t
    note_changed(st, c)
    t = s.touched_used(st)
    s.set_touched_used(st, t + 1)
    s.set_touched(st, t, c)
    s.set_customer_touch(st, c, t + 1)
    s.set_touched_models(st, t, 0)
    for w in range(s.tag_words(st)):
        s.set_touched_tags(st, t * s.tag_words(st) + w, 0)
    return t


@step
def touch_metric(st: int, t: int, m: int) -> None:
    """Mark what rests on metric m for the touched customer at place t."""
    words = s.tag_words(st)
    for w in range(words):
        s.set_touched_tags(
            st, t * words + w, s.touched_tags(st, t * words + w) | s.metric_tags(st, m * words + w)
        )
    s.set_touched_models(st, t, s.touched_models(st, t) | s.metric_models(st, m))


@step
def touch_bits(st: int, t: int, source: int, bits: int, word: int) -> None:
    """Mark what rests on the metrics of a row's bits."""
    base = (source * s.row_words(st) + word) * s.ROW_WORD
    b = 0
    while bits:
        while bits & 255 == 0:
            bits >>= 8
            b += 8
        if bits & 1:
            touch_metric(st, t, s.bit_metric(st, base + b))
        bits >>= 1
        b += 1


@inlined
def touch_tag(st: int, t: int, tag: int) -> None:
    """Mark one tag to be judged for the touched customer at place t."""
    at = t * s.tag_words(st) + tag // s.WORD
    s.set_touched_tags(st, at, s.touched_tags(st, at) | (1 << (tag % s.WORD)))


@step
def touch_everything(st: int, t: int) -> None:
    """Mark every tag: a new customer's rules may hold with nothing known (M2: null != 3 is true)."""
    for tag in range(s.tags(st)):
        touch_tag(st, t, tag)


@step
def clear_touched(st: int) -> None:
    """Empty the list."""
    for t in range(s.touched_used(st)):
        s.set_customer_touch(st, s.touched(st, t), CHANGED)
    s.set_touched_used(st, 0)


@inlined
def before(st: int, i: int, j: int) -> bool:
    """Whether the customer at place i comes before the one at place j."""
    return id_less(st, s.touched(st, i), s.touched(st, j))


@inlined
def swap(st: int, i: int, j: int) -> None:
    """Exchange two places of the touched list."""
    a, b = s.touched(st, i), s.touched(st, j)
    s.set_touched(st, i, b)
    s.set_touched(st, j, a)
    s.set_customer_touch(st, b, i + 1)
    s.set_customer_touch(st, a, j + 1)
    models = s.touched_models(st, i)
    s.set_touched_models(st, i, s.touched_models(st, j))
    s.set_touched_models(st, j, models)
    words = s.tag_words(st)
    for w in range(words):
        bits = s.touched_tags(st, i * words + w)
        s.set_touched_tags(st, i * words + w, s.touched_tags(st, j * words + w))
        s.set_touched_tags(st, j * words + w, bits)


_sort = heap_sort(before, swap)


@step
def sort_touched(st: int) -> None:
    """Put the touched customers into the order of their ids (T3 (6))."""
    _sort(st, s.touched_used(st))
