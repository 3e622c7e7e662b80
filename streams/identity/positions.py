"""Where changes stand in their source: who has no position gets one, who is too old is found (W2)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from streams.change import NO_POSITION, Changes
from streams.identity.directory import Known
from streams.log.log import Log

Int64s = NDArray[np.int64]
Mask = NDArray[np.bool_]


def give_positions(log: Log, changes: Changes, own: Int64s) -> Mask:
    """Give rows without a position the last one of their source before them in their lane, in their order.

    own: int64, the rows' places among those taken in together. Remembers the source's newest. Returns the
    mask of rows that came with a position of their own.
    """
    stands, lanes = log.lanes.stands(changes.source), log.lanes.of_rows(own)
    has_own: Mask = changes.position != NO_POSITION
    epoch = stands[lanes, 0]
    changes.epoch[changes.epoch == NO_POSITION] = epoch[changes.epoch == NO_POSITION]
    for lane in np.unique(lanes).tolist():
        last, mine = int(stands[lane, 1]), np.flatnonzero(lanes == lane)
        counts = has_own[mine] & (changes.epoch[mine] == epoch[mine])
        running = np.maximum.accumulate(np.where(counts, changes.position[mine], last))
        without = ~has_own[mine]
        changes.position[mine[without]] = np.maximum(running, last)[without]
        if int(running[-1]) > last:
            log.lanes.advance(changes.source, lane, int(running[-1]))
    return has_own


def is_older(changes: Changes, known: Known, same: Mask) -> Mask:
    """Return the mask of changes that stand at or before the known one of their key (semantics W1).

    same: mask of those with the known one's content. Where several changes share a position, which leaves
    them without an offset of their own, one at the known position is a duplicate if it says the same.
    """
    place = (changes.epoch, changes.position, changes.offset)
    there = (known.epoch, known.position, known.offset)
    behind = np.zeros(len(changes), dtype=bool)
    level = np.ones(len(changes), dtype=bool)
    for mine, theirs in zip(place, there, strict=True):
        behind |= level & (mine < theirs)
        level &= mine == theirs
    newest_offset = changes.offset == NO_POSITION
    same_position = (place[0] == there[0]) & (place[1] == there[1])
    older: Mask = known.there & (behind | level) & ~(newest_offset & same_position & ~same)
    return older


def is_outlived(log: Log, changes: Changes, own: Int64s, known: Known) -> Mask:
    """Return the mask of changes with a position of their own at or before that of a key that has no row now.

    They are older than the row's end, so that nobody asks what they say (semantics W3). own: as of
    `give_positions`.
    """
    epoch = log.lanes.stands(changes.source)[log.lanes.of_rows(own), 0]
    epochs = np.where(changes.epoch == NO_POSITION, epoch, changes.epoch)
    none = np.zeros(len(changes), dtype=bool)
    gone: Mask = known.there & ~known.alive & (changes.position != NO_POSITION)
    return gone & is_older(replace(changes, epoch=epochs), known, none)


def new_epoch(log: Log, source: str) -> int:
    """Begin a source's next epoch (a connector made anew), inside a transaction; return its number."""
    number = log.source_number(source)
    log.connection.execute("UPDATE source SET epoch = epoch + 1, position = 0 WHERE number = ?", (number,))
    found = log.connection.execute("SELECT epoch FROM source WHERE number = ?", (number,)).fetchone()
    return int(found[0])
