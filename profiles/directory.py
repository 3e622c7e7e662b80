"""The row directory: (source, key) -> position and row (semantics W1 to W3).

An entry outlives its row: it says where the row stood in its source, so that what is older is ignored, until
the source's duplicate horizon has passed on the engine's clock.

A place of its hash table holds an entry's number + 1 in the low bits and some of the key's hash, its *mark*,
in the bits above: hardly ever is a wrong entry looked at, and so the table may be nearly full.
"""

from __future__ import annotations

from engine import state as s
from engine.jit import inlined, step
from profiles.customers import mix
from profiles.halves import joined, low_half

# the state of an entry with a row is its number, with this bit once the row is not as it was inserted:
# what waited for it is withdrawn (D1)
CHANGED = 1 << 30
# the state of one without is -1 - (4 x the minute of its end + why)
DROPPED = 0  # no metric counts the row any more
DELETED = 1  # the source has deleted the row
MOVED = 2  # the row went to another customer: its own position may come again (W7)
PLACE_BITS = 0x7FFFFFFF  # what number and mark fill of a place of the hash table


@inlined
def high_half(st: int, e: int) -> int:
    """Return the high half of an entry's key; none is kept while all keys are whole numbers."""
    return s.entry_high(st, e) if s.wide_keys_now(st) else s.WHOLE_KEY


@inlined
def key_low(st: int, e: int) -> int:
    """Return the low half of an entry's key; 32 bits are kept while all of them fit."""
    low = s.entry_low(st, e)
    return joined(s.entry_rest(st, e), low) if s.long_keys_now(st) else low


@inlined
def set_key(st: int, e: int, high: int, low: int) -> None:
    """Keep a key; it has been found to fit (`engine.room`)."""
    s.set_entry_low(st, e, low_half(low))
    if s.long_keys_now(st):
        s.set_entry_rest(st, e, low >> 32)
    if s.wide_keys_now(st):
        s.set_entry_high(st, e, high)


@inlined
def key_less(st: int, e: int, f: int) -> bool:
    """Whether entry e's key comes before that of entry f."""
    if high_half(st, e) != high_half(st, f):
        return high_half(st, e) < high_half(st, f)
    return key_low(st, e) < key_low(st, f)


@inlined
def hash_of(source: int, high: int, low: int) -> int:
    """Return the hash of a key: 34 bits."""
    return mix(high + source, low)


@inlined
def mark_of(st: int, hashed: int) -> int:
    """Return a hash's mark: bits that say little about its first place, above those of entries' numbers."""
    return (hashed >> 3) & PLACE_BITS & ~numbers(st)


@inlined
def numbers(st: int) -> int:
    """Return the bits of a place that hold an entry's number + 1; capacities are powers of two."""
    return s.entry_capacity(st) - 1


@inlined
def table_lacks_room(st: int) -> bool:
    """Whether one more entry could fill more than seven eighths of the hash table."""
    return 8 * (s.entries_live(st) + 1) > 7 * s.entry_mask(st)


@inlined
def find_entry(st: int, source: int, high: int, low: int) -> int:
    """Return the entry of (source, key), or -1."""
    mask, number_bits = s.entry_mask(st), numbers(st)
    hashed = hash_of(source, high, low)
    mark = mark_of(st, hashed)
    i = hashed & mask
    while True:
        held = s.entry_slot(st, i)
        if held == 0:
            return -1
        if held & ~number_bits == mark:
            e = (held & number_bits) - 1
            if key_low(st, e) == low and high_half(st, e) == high:
                if s.entry_source(st, e) == source:
                    return e
        i = (i + 1) & mask


@inlined
def home(st: int, source: int, high: int, low: int) -> int:
    """Return the place of the hash table from which on (source, key) is searched for."""
    return hash_of(source, high, low) & s.entry_mask(st)


@inlined
def likely_entry(st: int, source: int, high: int, low: int) -> int:
    """Return the first entry whose mark is that of (source, key), or -1; it is not looked at."""
    hashed = hash_of(source, high, low)
    mark, i = mark_of(st, hashed), hashed & s.entry_mask(st)
    while True:
        held = s.entry_slot(st, i)
        if held == 0:
            return -1
        if held & ~numbers(st) == mark:
            return (held & numbers(st)) - 1
        i = (i + 1) & s.entry_mask(st)


@step
def add_entry(st: int, source: int, high: int, low: int) -> int:
    """Open an entry for an unknown key; room is there."""
    e = s.entries_free(st) - 1
    if e >= 0:
        s.set_entries_free(st, s.entry_state(st, e))
    else:
        e = s.entries_used(st)
        s.set_entries_used(st, e + 1)
    s.set_entries_live(st, s.entries_live(st) + 1)
    s.set_entry_source(st, e, source)
    set_key(st, e, high, low)
    bury(st, e, DROPPED)
    place_entry(st, e)
    return e


@step
def place_entry(st: int, e: int) -> None:
    """Enter an entry into the hash table."""
    mask = s.entry_mask(st)
    hashed = hash_of(s.entry_source(st, e), high_half(st, e), key_low(st, e))
    i = hashed & mask
    while s.entry_slot(st, i) != 0:
        i = (i + 1) & mask
    s.set_entry_slot(st, i, mark_of(st, hashed) | (e + 1))


@inlined
def forgotten(st: int, e: int) -> bool:
    """Whether a rowless entry is beyond its source's duplicate horizon (W3)."""
    state = s.entry_state(st, e)
    if state >= 0:
        return False
    return s.clock(st) >= ((-1 - state) >> 2) + s.source_horizon(st, s.entry_source(st, e))


@step
def renew(st: int, e: int) -> None:
    """Treat a forgotten entry as one never seen."""
    bury(st, e, DROPPED)


@inlined
def epoch_of(st: int, e: int) -> int:
    """Return the source epoch of where an entry's row stands (W2)."""
    return s.entry_epoch(st, e) if s.wide_positions_now(st) else 0


@inlined
def position_of(st: int, e: int) -> int:
    """Return the source position of where it stands; none is kept while all are 0, as those of files are."""
    return s.entry_position(st, e) if s.wide_positions_now(st) else 0


@inlined
def offset_of(st: int, e: int) -> int:
    """Return the offset of where it stands."""
    low = s.entry_offset(st, e)
    return joined(s.entry_offset_rest(st, e), low) if s.wide_positions_now(st) else low


@inlined
def is_newer(st: int, e: int, epoch: int, position: int, offset: int, is_row: bool) -> bool:
    """Whether a position stands after the entry's (W2); a row may follow its own move out (W7)."""
    if epoch != epoch_of(st, e):
        return epoch > epoch_of(st, e)
    if position != position_of(st, e):
        return position > position_of(st, e)
    if offset != offset_of(st, e):
        return offset > offset_of(st, e)
    return is_row and end_of(st, e) == MOVED


@inlined
def set_position(st: int, e: int, epoch: int, position: int, offset: int) -> None:
    """Note where the row now stands; it has been found to fit (`engine.room`)."""
    s.set_entry_offset(st, e, low_half(offset))
    if s.wide_positions_now(st):
        s.set_entry_epoch(st, e, epoch)
        s.set_entry_position(st, e, position)
        s.set_entry_offset_rest(st, e, offset >> 32)


@inlined
def row_of(st: int, e: int) -> int:
    """Return an entry's row, or -1."""
    state = s.entry_state(st, e)
    return state & ~CHANGED if state >= 0 else -1


@inlined
def is_changed(st: int, e: int) -> bool:
    """Whether an entry's row is not as it was inserted."""
    return s.entry_state(st, e) >= CHANGED


@inlined
def end_of(st: int, e: int) -> int:
    """Return why an entry has no row: DROPPED, DELETED or MOVED; DROPPED if it has one."""
    state = s.entry_state(st, e)
    return (-1 - state) & 3 if state < 0 else DROPPED


@inlined
def set_row(st: int, e: int, row: int, changed: bool) -> None:
    """Give an entry its row."""
    s.set_entry_state(st, e, row | CHANGED if changed else row)


@inlined
def bury(st: int, e: int, why: int) -> None:
    """Leave an entry without a row from this minute on."""
    s.set_entry_state(st, e, -1 - (4 * s.clock(st) + why))


@step
def forget_old_entries(st: int) -> int:
    """Free every entry beyond its horizon (memory only: `forgotten` already treats them so); return how many.

    The caller empties and fills the hash table anew afterwards.
    """
    freed = 0
    for e in range(s.entries_used(st)):
        if s.entry_source(st, e) >= 0 and forgotten(st, e):
            s.set_entry_source(st, e, -1)
            s.set_entry_state(st, e, s.entries_free(st))
            s.set_entries_free(st, e + 1)
            freed += 1
    s.set_entries_live(st, s.entries_live(st) - freed)
    return freed
