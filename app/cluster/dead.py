"""Replaying dead letters in a cluster: back to the topics they came from, where a worker takes them.

A message goes to the partition that has its row's other changes. One whose row has no position of its own
would get a new one there, and count as the newest change of its row. So it is looked first whether a later
change of the row was taken, once workers have come to the end of the topic: then the letter is done with, and
not sent. Later is what came into the log after the letter was put aside, by the times that Kafka gives both;
of what a migration wrote, by their minutes.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

from kafka import TopicPartition

from app.shop import Shop
from app.worker.place import ClusterPlace
from streams.arrive import Arrivals
from streams.cdc.change import Counted, Refused
from streams.change import NO_POSITION
from streams.changes.foreseen import Foresight
from streams.changes.reading import appended, fetches
from streams.contract.columns import known_to
from streams.contract.numbers import ValueProblem
from streams.contract.source import CHANGE_FORMATS
from streams.dead.letters import REPLAYED, DeadLetter
from streams.dead.replay import NO_LINE, Replayed
from streams.dead.topic import Noted, TopicLetters, place_of
from streams.debezium import kafka
from streams.errors import InputError
from streams.identity.partition import id_list, partitions_of
from streams.log.log import Log
from streams.shared.delta import STEP
from streams.shared.desk import PLACE_BITS
from streams.shared.entries import unpack
from streams.shared.index import Index
from streams.taking import Row, by_source, checked

WAIT_SECONDS = 60.0


class Replaying:
    """Replays letters of a shop. shop: the settings in force."""

    def __init__(
        self, place: ClusterPlace, shop: Shop, letters: TopicLetters, index: Index,
        now: Callable[[], float] = time.time, wait_seconds: float = WAIT_SECONDS,
    ) -> None:  # fmt: skip
        self._place, self._shop, self._letters, self._index = place, shop, letters, index
        self._now, self._wait_seconds = now, wait_seconds
        self._sources = known_to(shop.sources, shop.tags)
        self._foresight = Foresight(shop)

    def replay(self, chosen: Sequence[DeadLetter]) -> list[Replayed]:
        """Send letters back, in the order of their numbers; what would be refused again goes on waiting, with
        its new reason. Raises InputError where the cluster does not answer, or workers do not keep up."""
        open_ = [one for one in chosen if one.state != REPLAYED]
        self._wait_for_workers({place_of(one)[0] for one in open_})
        notes: dict[int, Noted] = {}
        back: list[tuple[DeadLetter, bytes | None]] = []
        found: dict[int, Replayed] = {one.id: Replayed(one) for one in chosen}
        with (
            tempfile.TemporaryDirectory() as folder,
            Log.create(Path(folder), self._shop.settings.name, 1, self._place.secret) as scratch,
        ):
            arrivals = Arrivals(scratch)
            for one in open_:
                try:
                    is_late = self._is_late(arrivals, one)
                except (Refused, ValueProblem, InputError) as error:
                    notes[one.id] = Noted(one.state, one.fixed, error.problem, error.hint)
                    found[one.id] = Replayed(one, error.problem, error.hint)
                    continue
                notes[one.id] = Noted(REPLAYED, one.fixed)
                if not is_late:
                    back.append((one, self._key(one)))
        if notes:
            self._letters.note(notes, back)
        return list(found.values())

    def _is_late(self, arrivals: Arrivals, letter: DeadLetter) -> bool:
        """Whether later changes of all its rows were taken. Raises what its contract refuses."""
        source = self._shop.sources.get(letter.source)
        if source is not None and source.occurrence:
            raise ValueProblem(*NO_LINE)
        rows = arrivals.read(self._shop, letter.message)
        if isinstance(rows, Counted):
            return False
        minute, zone = int(self._now() // 60), ZoneInfo(self._shop.settings.zone)
        late = []
        for name, own in by_source(rows).items():
            result = checked(self._sources, name, list(own.values()), minute, zone)
            for _, fault in result.faults:
                raise fault
            keys = id_list(result.changes.key_high, result.changes.key_low)
            placed = [list(own.values())[at] for at in result.rows.tolist()]
            late += self._are_later(letter, name, keys, placed)
        return bool(late) and all(late)

    def _key(self, letter: DeadLetter) -> bytes | None:
        """Return the key that a row or call over HTTP would have had, had it been right; None: its own."""
        source = self._shop.sources.get(letter.source)
        if letter.key is not None or (source is not None and source.format.type in CHANGE_FORMATS):
            return None
        return self._foresight.look([letter.message], int(self._now() // 60))[0].key

    def _are_later(
        self, letter: DeadLetter, source: str, keys: Sequence[bytes], rows: Sequence[Row]
    ) -> list[bool]:
        """Return of each row whether the log has a later change of it. Raises ValueProblem."""
        found = []
        there = zip(*(self._index.get(kind, source, keys) for kind in ("row", "parked")), strict=True)
        for row, (entry, parked) in zip(rows, there, strict=True):
            if row.position == NO_POSITION and parked is not None:
                raise ValueProblem("another change of the row waits for its parent", "replay it after that")
            is_placed_anew = row.position == NO_POSITION and entry is not None
            found.append(is_placed_anew and self._came_after(entry or b"", letter))
        return found

    def _came_after(self, entry: bytes, letter: DeadLetter) -> bool:
        """Whether the record that a row's entry stems from came into the log after a letter."""
        [row] = unpack([entry])
        if row[STEP] < 0:
            return False
        partition = int(partitions_of(row[:1], row[1:2], self._shop.settings.partitions)[0])
        place, topic = int(row[STEP]), self._place.topics.changes
        offset, ordinal = place >> PLACE_BITS, place & ((1 << PLACE_BITS) - 1)
        came = appended(self._place.bootstrap, topic, partition, offset, ordinal)
        if came is None:
            return False
        if came.minute is not None:  # a migration wrote both anew: all that is left of when is the minute
            return came.minute >= letter.minute
        return came.ms >= self._letters.times[letter.id]

    def _wait_for_workers(self, topics: Collection[str]) -> None:
        """Wait until workers have taken all messages that are in these topics by now."""
        if not topics:
            return
        with kafka.consumer(self._place.bootstrap) as consumer:
            ends = consumer.end_offsets(kafka.partitions_of(consumer, sorted(topics)))
        until = time.monotonic() + self._wait_seconds
        while behind := [at for at, end in ends.items() if self._is_behind(at, end)]:
            if time.monotonic() > until:
                where = f"{behind[0].topic}/{behind[0].partition}"
                hint = "start a worker, or wait until it has caught up; then do it again"
                raise InputError(where, "its messages are not all taken yet", hint)
            time.sleep(0.5)

    def _is_behind(self, at: TopicPartition, end: int) -> bool:
        """Whether a message before an offset is not taken yet; what ends a transaction is none."""
        with kafka.admin(self._place.bootstrap) as admin:
            taken = admin.list_group_offsets(self._place.intake)[self._place.intake].get(at)
        begin = 0 if taken is None else max(0, taken.offset)
        if begin >= end:
            return False
        found = fetches(self._place.bootstrap, at.topic, {at.partition: begin})
        return any(one.offset < end for _, records in found for one in records)
