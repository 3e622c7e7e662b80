"""Erasing a customer in the shared log: as `streams.personal.erase` does in a log's own file (semantics P7).

Whoever erases owns every lane, so nobody takes a row in meanwhile; then, in this order, such that a crash
between any two leaves the customer whole, to be erased again, or erased:

1. `look` reads what the log has of the customer, and of those from whom sealed rows moved to them;
2. `take` makes at the desk what is to be sent, and ends the index's life: whoever claims a lane from now on
   reads the log first;
3. the caller sends it in one transaction: the record ``erase``, who is sealed anew, forgotten keys;
4. `sent` takes that in from the log, as whoever finds the index without a life would, and its life begins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from streams.changes.controls import control_block
from streams.changes.copy import Steps
from streams.changes.wire import Incoming, Outgoing, outgoing
from streams.control import ERASE, Control
from streams.identity.partition import id_pairs, partitions_of
from streams.live import place_controls
from streams.personal.erase import forget_rows
from streams.personal.find import references_of
from streams.personal.held import is_held
from streams.personal.reseal import reseal
from streams.shared.asked import Filling, Writes
from streams.shared.claim import check_life
from streams.shared.delta import Told, delta_of, parents_of, told
from streams.shared.entries import unpack
from streams.shared.lanes import DIRECTORY, Lanes
from streams.shared.mentions import Mentions
from streams.shared.recover import Recovery

ENTRIES = 20_000  # of rows in one message: some two megabytes

# (partition, offset) -> the messages of that partition of the log from there to its end now
ReadPartition = Callable[[int, int], Iterable[Incoming]]


@dataclass(frozen=True)
class Erasure:
    """What is to be sent in one transaction.

    keys: (customer, number, wrapped key, or None where it is forgotten); references, values: what the
    customer is called, and what is or was personal in their rows; rows: that counted until now.
    """

    customer: bytes
    blocks: list[Outgoing]
    keys: list[tuple[bytes, int, bytes | None]]
    references: list[str]
    values: set[str]
    rows: int


class Erasing:
    """Erases one customer (16 bytes). lanes: of an owner, who claims every lane before `take`."""

    def __init__(self, lanes: Lanes, customer: bytes, read: ReadPartition) -> None:
        self._lanes, self._customer, self._read = lanes, customer, read
        self._mentions = Mentions(lanes.sources, [])
        self._reached: dict[int, int] = {}  # offset behind what was read, by partition
        self._steps = Steps()  # of the customer's own partition
        self._formers: list[bytes] = []
        self._writes = Writes()
        self._made: Erasure | None = None

    def look(self) -> None:
        """Read what the log has by now. It may be done before all lanes are claimed, and is done again then:
        so that they stand still for less."""
        self._formers = self._lanes.desk.shared_vault.formers(self._customer)
        wanted = {self._customer, *self._formers}
        fresh = self._parts(wanted - self._mentions.customers)
        self._mentions.customers |= wanted
        for partition in sorted(self._parts(wanted)):
            reached = self._reached.get(partition, 0)
            for one in self._read(partition, 0 if partition in fresh else reached):
                self._mentions.take(one)
                if one.offset >= reached:
                    self._note(one)

    def _note(self, message: Incoming) -> None:
        self._reached[message.partition] = message.offset + 1
        if message.partition == self.partition:
            self._steps.take(message)

    @property
    def partition(self) -> int:
        """The customer's own."""
        (found,) = self._parts([self._customer])
        return found

    def erased_before(self, offsets: Sequence[int]) -> int:
        """Return the step of the customer's partition at which nothing of them is left.

        offsets: as of `sent`. Reads what was written to the partition meanwhile.
        """
        assert self._made is not None  # `take` made it
        last = max(offset for one, offset in zip(self._made.blocks, offsets, strict=True)
                   if one.partition == self.partition)  # fmt: skip
        for one in self._read(self.partition, self._reached.get(self.partition, 0)):
            if one.offset <= last:
                self._note(one)
        return self._steps.next

    def _parts(self, customers: Iterable[bytes]) -> set[int]:
        listed = list(customers)
        if not listed:
            return set()
        return set(partitions_of(*id_pairs(listed), self._lanes.desk.partitions).tolist())

    def take(self, now_ms: int) -> Erasure | None:
        """Make what is to be sent; None where nothing is held of the customer. Raises Lost."""
        desk, vault = self._lanes.desk, self._lanes.desk.shared_vault
        desk.begin(self._lanes.standings)
        self.look()
        self._bring()
        references = references_of(desk, self._customer)
        numbers = vault.numbers([self._customer, *self._formers])
        has_key = any(one == self._customer for one, _ in numbers)
        if not (references or has_key or is_held(desk, self._customer)):
            check_life(self._lanes.index, self._lanes.standings.values())  # who is sought may be lost
            return None
        values = self._mentions.personal_values(vault, {self._customer})
        others = [former for former in self._formers if is_held(desk, former)]
        vault.renew(others)
        minute = now_ms // 60_000
        for former in others:
            reseal(desk, self._lanes.sources, former, minute, "live")
        place_controls(desk, [Control(ERASE, self._customer, "{}")], minute)
        rows = forget_rows(desk, self._customer)
        forgotten = [(one, number, None) for one, number in numbers]
        blocks = self._blocks(minute)
        self._made = Erasure(
            self._customer, blocks, [*forgotten, *vault.renewed()], references, values, rows
        )
        self._lanes.index.end_life(self._lanes.standings)
        return self._made

    def _bring(self) -> None:
        """Bring all that is theirs to the desk."""
        desk, customers = self._lanes.desk, [self._customer, *self._formers]
        desk.customers(customers)
        desk.connection.execute("DELETE FROM reference WHERE sealed = ''")  # reserved only: in no log
        for source, keys in self._mentions.rows().items():
            desk.rows(source, *id_pairs(keys))

    def _blocks(self, minute: int) -> list[Outgoing]:
        """Return the blocks at the desk as messages, and what else they say: which rows are nobody's now."""
        desk, index = self._lanes.desk, self._lanes.index
        delta = delta_of(desk)
        says, rest = told(desk, delta, self._lanes.sources)
        for name, key, _ in rest.others:
            held = desk.held_rows.get((name, key))
            for parent in parents_of(None if held is None else unpack([held])[0], None):
                self._writes.remove += (index.key("under", name, parent), key)
        self._writes.drop.append(index.key("former", self._customer))
        part = self.partition
        rekeyed = [self._customer, *self._formers]
        more = [Told(parked=rest.parked, formers=rest.formers, rekeyed=rekeyed)]
        more += [Told(others=rest.others[at : at + ENTRIES]) for at in range(0, len(rest.others), ENTRIES)]
        for _ in more:
            block = control_block([Control(DIRECTORY, None, "{}")], desk.next_step(part), minute, part)
            desk.append(block, [f"!{DIRECTORY}"])
        both = zip(desk.put, [*says, *more], strict=True)
        return [outgoing(put.block, put.holds, one) for put, one in both]

    def sent(self, offsets: Sequence[int]) -> None:
        """The blocks stand at these offsets of their partitions, and the transaction is committed. Raises
        Lost: then whoever has claimed a lane since has read it from the log, or will."""
        index, made = self._lanes.index, self._made
        assert made is not None  # `take` made it
        lane, standing = next(iter(self._lanes.standings.items()))
        filling = Filling(lane, standing.epoch, "")
        index.fill(filling, self._writes)
        recovery = Recovery(index, filling)
        recovery.take(
            Incoming(one.partition, offset, 0, one.value, dict(one.headers))
            for one, offset in zip(made.blocks, offsets, strict=True)
        )
        recovery.take_keys([(one, number, key) for one, number, key in made.keys if key is not None])
        recovery.begin_life()

