"""Becoming a lane's owner: the index is brought up to the log before anything is looked up in it (I1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from streams.changes.wire import Incoming
from streams.shared.index import Index, Lost, Standing
from streams.shared.recover import Recovery

# Before the last write that the index has, in ms: clocks differ, and a transaction comes before its write.
MARGIN_MS = 600_000

ReadLog = Callable[[int | None], Iterable[Incoming]]
ReadKeys = Callable[[], Iterable[tuple[bytes, int, bytes]]]


def claim(
    index: Index, lane: str, committed: int, read_log: ReadLog, read_keys: ReadKeys,
) -> Standing:  # fmt: skip
    """Become the lane's owner, once no former owner can commit to the log any more; return where it stands.

    committed: the first offset of the lane's topic that is not in the log; read_log: gives all committed
    messages of the log that were appended since a time (ms since 1970; None: all), each partition's in order;
    read_keys: gives all customers' keys.
    """
    life, standing, recovery = index.life(), index.claim(lane), Recovery(index)
    if life is None:
        last = index.last_write()
        recovery.take_keys(read_keys())
        recovery.take(read_log(None if last is None else last - MARGIN_MS))
        recovery.finish()
        for other, stands in recovery.lanes.items():
            index.fill_lane(other, stands)
        life = index.begin_life()
    elif standing.next != committed:
        recovery.take_keys(read_keys())
        recovery.take(read_log(standing.at - MARGIN_MS))
        recovery.finish()
    found = recovery.lanes.get(lane)
    if found is not None:
        positions = {**standing.positions, **found.positions}
        standing = replace(standing, offset=max(standing.offset, found.offset), positions=positions)
    standing = replace(standing, next=committed, life=life)
    index.set_lane(lane, standing)
    index.unmark(lane)
    return standing


def check_life(index: Index, standing: Standing) -> None:
    """Raise Lost where the index is not what it was when the lane was claimed.

    Until a batch is applied its marks and reservations are only there: it may be sent as long as they are.
    """
    if index.life() != standing.life:
        raise Lost("the store was started anew, or emptied")
