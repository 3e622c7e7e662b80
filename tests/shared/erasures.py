"""Erasures among the lanes of `tests.shared.simulation`, and the one log that they must come to."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import redis

from app.shop import Shop
from streams.arrive import Arrivals
from streams.changes.wire import Incoming
from streams.control import ERASE
from streams.identity.partition import id_list
from streams.log.block import CONTROL, Block
from streams.log.log import Log
from streams.personal.conceal import hide
from streams.personal.erase import erase
from streams.personal.find import references_of
from streams.personal.seal import REFERENCE, about, personal_columns, unseal
from streams.personal.vault import Vault
from streams.shared.asked import Standing
from streams.shared.claim import bring_up
from streams.shared.delta import ALIVE, STEP
from streams.shared.entries import pack, unpack
from streams.shared.erasing import Erasing, Erasure
from streams.shared.index import Index, Lost
from streams.shared.lanes import Batch, Lanes
from streams.shared.vault import SharedVault
from tests.called import SECRET, id_of
from tests.shared.simulation import ENVELOPE, Simulation, Worker
from tests.shared.small_shop import START_MS, Feed, small_shop
from tests.shared.topic import Fenced

WHOM = [bytes.fromhex(id_of(f"member:M{one}")) for one in range(5)]
BEGINS, GOES_ON = 0.05, 0.8  # how often an erasure does so before somebody's step
GONE = (3, 5)  # operations of rows that are deleted, or have moved out
Opened = dict[tuple[str, str], tuple[str, dict[str, Any]]]  # (source, key) -> customer and values, readable


def shop_of_persons() -> Shop:
    """Return the small shop, whose parcels know for whom they are."""
    said = small_shop().model_dump(by_alias=True)
    said["sources"]["parcels"]["columns"]["recipient"] = {"type": "text", "personal": True}
    return Shop.model_validate(said)


class Persons(Feed):
    """Its parcels say for whom they are; orders change hands, and take their parcels along."""

    def _row(self, source: str, number: int, random_: random.Random) -> dict[str, Any]:
        row = super()._row(source, number, random_)
        return {**row, "recipient": random_.choice(["李雷", "韩梅梅"])} if source == "parcels" else row


@dataclass
class Eraser:
    """Erases customers one after the other. left: how many; the rest: how far it is with one of them."""

    left: int
    whom: bytes = b""
    lanes: Lanes | None = None
    claiming: tuple[str, Standing, int | None] | None = None
    erasing: Erasing | None = None
    made: Erasure | None = None
    offsets: Sequence[int] | None = None
    times: int = 0

    def begin_again(self) -> None:
        """Forget how far it is."""
        self.lanes = self.claiming = self.erasing = self.made = self.offsets = None


class Erasures(Simulation):
    """A simulation in whose course customers are erased, whether lanes stand still for it or not.

    order: what was committed, as messages of lanes, or a customer.
    """

    def __init__(
        self, feed: Feed, client: redis.Redis, seed: int, erased: int, partitions: int = 4
    ) -> None:  # fmt: skip
        super().__init__(shop_of_persons(), feed, client, seed, partitions)
        self.eraser = Eraser(erased)
        self.order: list[list[tuple[str, int, int]] | bytes] = []
        self.stand = self.random.random() < 0.7
        self.crashes = 0.0
        self.counts |= {"erased": 0, "nobody": 0, "still": 0}

    def run(self, crashes: float = 0.0, losses: float = 0.0, moves: float = 0.0) -> Erasures:
        self.crashes = crashes
        super().run(crashes, losses, moves)
        while self.eraser.lanes is not None:
            self._erase()
        self.settle()
        return self

    def settle(self) -> None:
        """Let somebody claim every lane, as workers do that start now."""
        worker = self._worker()
        for name in sorted(self.assigned):
            standing = self._until_still(name)
            committed = self.topic.claim(name, worker.lanes.owner)
            bring_up(self.index, name, standing, committed, self._log, self._keys)

    def _until_still(self, name: str) -> Standing:
        self.client.delete(self.index.key("still"))  # it has lasted long enough
        return self.index.claim(name)

    def _try(self, worker: Worker) -> None:
        ready = self.eraser.left and not self.index.is_interrupted
        if ready and self.random.random() < (BEGINS if self.eraser.lanes is None else GOES_ON):
            self._erase()
        else:
            before = dict(self.topic.committed)
            batch, offsets = worker.batch, worker.offsets
            super()._try(worker)
            if batch is not None and offsets is None and worker.offsets is not None:
                self._note(batch, before)

    def _note(self, batch: Batch, before: Mapping[str, int]) -> None:
        self.order.append([(name, before.get(name, 0), after) for name, after in batch.next.items()])

    def _keys(self) -> Iterable[tuple[bytes, int, bytes]]:
        return self.topic.keys

    def _erase(self) -> None:
        """Go one step with an erasure, or end before it."""
        eraser = self.eraser
        if self.random.random() < self.crashes / 3:
            self.counts["crash"] += 1
            eraser.begin_again()
            return
        if self.random.random() < 0.05:
            self.client.delete(self.index.key("still"))  # it takes too long
        try:
            self._step_of(eraser)
        except (Lost, Fenced):
            if eraser.offsets is not None:  # it is done; somebody has it from the log
                self._is_done(eraser)
            eraser.begin_again()

    def _is_done(self, eraser: Eraser) -> None:
        eraser.left -= 1
        eraser.whom = b""
        self.counts["erased"] += 1

    def _step_of(self, eraser: Eraser) -> None:
        if eraser.lanes is None:
            known = [one for one in WHOM if self.client.exists(self.index.key("of", one))]
            if not known and not eraser.whom:
                return
            eraser.whom = eraser.whom or self.random.choice(known)
            name = self._name()
            index = Index(self.client, self.shop.settings.name, name)
            if self.stand:
                index.stand_still(60_000)
            eraser.lanes = Lanes(name, index, self.shop, self.topic.partitions, SECRET, self.topic.recall)
            eraser.erasing = Erasing(eraser.lanes, eraser.whom, self._read)
            if self.random.random() < 0.5:
                eraser.erasing.look()
        elif unclaimed := [one for one in sorted(self.assigned) if one not in eraser.lanes.standings]:
            self._claim_for(eraser, eraser.lanes, unclaimed[0])
        elif eraser.made is None:
            assert eraser.erasing is not None
            eraser.made = eraser.erasing.take(START_MS)
            if eraser.made is None:
                self.counts["nobody"] += 1
                self.order.append(eraser.whom)
                eraser.left, eraser.whom = eraser.left - 1, b""
                eraser.lanes.index.go_on()
                eraser.begin_again()
        elif eraser.offsets is None:
            made = eraser.made
            batch = Batch(made.blocks, made.keys, [], {})
            eraser.offsets = self.topic.send(eraser.lanes.owner, batch)
            self.order.append(made.customer)
        else:
            assert eraser.erasing is not None
            eraser.erasing.sent(eraser.offsets)
            eraser.lanes.index.go_on()
            self._is_done(eraser)
            eraser.begin_again()

    def _claim_for(self, eraser: Eraser, lanes: Lanes, name: str) -> None:
        if eraser.claiming is None:
            eraser.claiming = name, lanes.index.claim(name), None
        elif eraser.claiming[2] is None:
            eraser.claiming = *eraser.claiming[:2], self.topic.claim(name, lanes.owner)
        else:
            _, standing, committed = eraser.claiming
            eraser.claiming = None
            lanes.own(name, bring_up(lanes.index, name, standing, committed or 0, self._log, self._keys))

    def _read(self, partition: int, begin: int) -> list[Incoming]:
        return self.topic.log[partition][begin:]

    def opened(self) -> Opened:
        """Return the living rows of the log, with what is personal readable."""
        vault = SharedVault(SECRET, self.index)
        blocks = [[one.block(0, -1) for one in partition] for partition in self.topic.log]
        return opened(vault, self.shop, blocks)

    def references(self) -> dict[str, list[str]]:
        """Return what each customer is called by the index, once all lanes are claimed."""
        vault, found = SharedVault(SECRET, self.index), dict[str, list[str]]()
        prefix = self.index.key("of", b"")
        for key in self.client.scan_iter(prefix.replace(b"[", b"\\[") + b"*"):
            customer = key[len(prefix) :]
            [held] = self.index.fields("of", [customer])
            sealed = [one[1:].decode() for one in held.values()]
            texts = unseal(vault, REFERENCE, [customer] * len(sealed), sealed)
            assert [hide(vault, text or "").encode() for text in texts] == list(held), "readable, and its own"
            for name in held:
                raw: Any = self.client.get(self.index.key("ref", name))
                assert raw[1:17] == customer
            found[customer.hex()] = sorted(text or "" for text in texts)
        return found

    def dump(self) -> dict[bytes, Any]:
        """Return what the index says, but for what follows from batches that are not in the log."""
        found: dict[bytes, Any] = {}
        for kind in ("ref", "of", "strong", "row", "parked", "key"):
            for key in self.client.scan_iter(self.index.key(kind, b"*")):
                found[key] = self._held(key, kind)
        return {key: value for key, value in found.items() if value}

    def _held(self, key: bytes, kind: str) -> Any:
        """Return what stands under a key and is in the log."""
        if kind in ("of", "key"):
            fields: Any = self.client.hgetall(key)
            return {name: one for name, one in fields.items() if one[:1] != b"?"}
        value: Any = self.client.get(key)
        if kind == "row":
            row = unpack([value])
            row[row[:, ALIVE] == 0, STEP] = 0  # it says nothing of what lives no more
            return pack(row)[0]
        return None if kind == "ref" and value[:1] == b"?" else value


def one_log(shop: Shop, feed: Feed, order: Iterable[list[tuple[str, int, int]] | bytes], folder: Path) -> Log:
    """Return a log that took in what was committed, in that order."""
    log = Log.create(folder, shop.settings.name, 1, SECRET)
    arrivals = Arrivals(log)
    for one in order:
        if isinstance(one, bytes):
            erase(log, shop.sources, one, START_MS // 60_000, "live")
            arrivals = Arrivals(log)
        else:
            parts = [(feed.topics[name][first:after], None) for name, first, after in one]
            arrivals.take(shop, parts, START_MS // 60_000)
    return log


def called(log: Log) -> dict[str, list[str]]:
    """Return what each customer of a log is called."""
    customers = log.connection.execute("SELECT DISTINCT customer FROM reference").fetchall()
    return {one.hex(): sorted(references_of(log, one)) for (one,) in customers}


def opened(vault: Vault, shop: Shop, partitions: Iterable[Iterable[Block]]) -> Opened:
    """Return the living rows of partitions, as their records and erasures leave them."""
    found: Opened = {}
    for blocks in partitions:
        last: dict[tuple[str, str], tuple[tuple[int, ...], bytes, dict[str, Any] | None]] = {}
        for block in blocks:
            events: list[tuple[int, str, dict[str, Any]]] = []
            for name, table in block.tables().items():
                events += [(one["ordinal"], name, one) for one in table.to_pylist()]
            for _, name, one in sorted(events, key=lambda event: event[0]):
                _take(last, name, one)
        for (name, key), (_, customer, row) in last.items():
            if row is not None:
                assert (name, key) not in found
                found[name, key] = customer.hex(), _readable(vault, shop, name, customer, row)
    return found


def _take(last: dict[tuple[str, str], Any], name: str, one: dict[str, Any]) -> None:
    if name == CONTROL:
        if one["kind"] == ERASE:
            for place, (position, customer, _) in last.items():
                if customer == one["customer"]:
                    last[place] = position, customer, None
        return
    [key] = id_list(np.array([one["key_high"]]), np.array([one["key_low"]]))
    position = one["epoch"], one["position"], one["offset"]
    if (name, key.hex()) in last and position <= last[name, key.hex()][0]:
        return
    told = {column: value for column, value in one.items() if column not in ENVELOPE}
    last[name, key.hex()] = position, one["customer"], None if one["op"] in GONE else told


def _readable(vault: Vault, shop: Shop, name: str, customer: bytes, row: dict[str, Any]) -> dict[str, Any]:
    for column in personal_columns(shop.sources[name]):
        [row[column]] = unseal(vault, about(name, column), [customer], [row[column]])
        assert row[column] is not None, "what is personal of who lives can be read"
    return row


def sealed_before(partitions: Iterable[Sequence[Incoming]], customer: bytes) -> list[tuple[str, str]]:
    """Return (what it is about, sealed) of all that the log holds of a customer before their last erasure."""
    found: list[tuple[str, str]] = []
    gone = 0
    for messages in partitions:
        for one in messages:
            for name, table in one.block(0, -1).tables().items():
                for row in table.to_pylist():
                    if row["customer"] != customer:
                        continue
                    if name != CONTROL:
                        found += [(about(name, column), value) for column, value in row.items()
                                  if str(value).startswith("sealed:")]  # fmt: skip
                    elif row["kind"] == ERASE:
                        gone = len(found)
    return found[:gone]
