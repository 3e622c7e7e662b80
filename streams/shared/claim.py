"""Becoming a lane's owner: the index is brought up to the log before anything is looked up in it (I1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from streams.changes.wire import Incoming
from streams.shared.asked import Filling, Standing
from streams.shared.index import Index, Lost
from streams.shared.recover import Recovery

# Before the last write that the index has, in ms: clocks differ, and a transaction comes before its write.
MARGIN_MS = 600_000

ReadLog = Callable[[int | None], Iterable[Incoming]]
ReadKeys = Callable[[], Iterable[tuple[bytes, int, bytes]]]


def bring_up(
    index: Index, lane: str, standing: Standing, committed: int, read_log: ReadLog, read_keys: ReadKeys
) -> Standing:  # fmt: skip
    """Bring the index up to the log, and become the lane's owner; return where it stands.

    The lane was claimed in the index (`Index.claim`), and after that no former owner could commit to the log
    any more. Where a former owner's batch had messages of this lane and was not applied, its marks go: if it
    is in the log, it is in the index now, and if not, it never will be.

    standing: as the claim found it; committed: the first offset of the lane's topic that is not in the log;
    read_log: gives all committed messages of the log that were appended since a time (ms since 1970; None:
    all), each partition's in order; read_keys: gives all customers' keys that were not forgotten. Raises Lost
    where somebody has claimed the lane since.
    """
    life, stands = index.looked_at()
    filling = Filling(lane, standing.epoch, stands)
    if life is None:
        last = index.last_write()
        recovery = Recovery(index, filling)
        recovery.take(read_log(None if last is None else last - MARGIN_MS))
        recovery.take_keys(read_keys())
        for other, found in recovery.lanes.items():
            index.fill_lane(other, found)
        life = recovery.begin_life()
    else:
        recovery = Recovery(index, filling, index.erased())
        if standing.next != committed:
            # a lane whose first batch was not applied has never been written to the index
            recovery.take(read_log(standing.at - MARGIN_MS if standing.at else None))
            recovery.take_keys(read_keys())
            recovery.finish()
    newest = recovery.lanes.get(lane)
    if newest is not None:
        positions = {**standing.positions, **newest.positions}
        standing = replace(standing, offset=max(standing.offset, newest.offset), positions=positions)
    return index.settle(lane, replace(standing, next=committed, life=life))


def check_life(index: Index, standings: Iterable[Standing]) -> None:
    """Raise Lost where the index is not what it was when the lanes were claimed.

    Until a batch is applied its marks and reservations are only there: it may be sent as long as they are.
    """
    if {one.life for one in standings} != {index.life()}:
        raise Lost("the store was started anew, or emptied")
