"""From change messages to the engine's batches, without a log between them: what *bytes to engine* measures.

The scanner is the product's. What the intake does beside (identity's index, the row directory, blocks in the
log) is left out: a customer is the one whom its only reference names (semantics I1), and a deleted row's
customer stands in the old row. `bench.feed` measures the whole intake beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from app.shop import Shop
from bench.workload import MINUTE_US, WHOLE_KEY
from engine.batch import Batch
from engine.partition import Partition
from engine.plan import Plan
from streams.contract.keys import hash128
from streams.scan.envelope import DELETE
from streams.scan.scanner import Buffer, Scanner, operations
from streams.scan.uses import EVENT_TIME, ROW_KEY

Ints = NDArray[np.int64]
LIVE = 1


class Reader:
    """Reads the messages of a shop whose sources have a whole-number key and one reference."""

    def __init__(self, shop: Shop, plan: Plan, partition: Partition) -> None:
        zone = ZoneInfo(shop.settings.zone)
        self.width = plan.dimensions["row_values"]
        self.tables = [
            _Table(
                Scanner(shop.sources[name], zone),
                number,
                columns,
                shop.sources[name].references[0].type,
                partition,
            )
            for name, (number, columns) in plan.projection.items()
        ]

    def learn(self, message: bytes, source: int) -> None:
        """Take the form of a table's messages from one of them."""
        self.tables[source].scanner.learn(message)

    def read_one_table(self, messages: Sequence[bytes], source: int) -> Batch:
        """Return the messages of one table as records of minute 0."""
        return self.batch(messages, np.full(len(messages), source), 0)

    def batch(self, messages: Sequence[bytes], source: Ints, minute: int) -> Batch:
        """Return the messages as records of a minute, in their order. Raises ValueError if one is not
        scanned.
        """
        buffer = Buffer.of(messages)
        batch = Batch.zeros(len(messages), self.width)
        batch.source[:] = source
        batch.mode[:] = LIVE
        batch.minute[:] = minute
        batch.key_high[:] = WHOLE_KEY
        for table in self.tables:
            table.fill(batch, buffer, np.flatnonzero(source == table.number))
        return batch


class _Table:
    def __init__(
        self, scanner: Scanner, number: int, columns: Sequence[str], kind: str, partition: Partition
    ) -> None:
        self.scanner, self.number = scanner, number
        self._kind = kind
        self._partition = partition
        at: Mapping[str, int] = {use.name: place for place, use in enumerate(scanner.uses)}
        self._event, self._key, self._reference = at[EVENT_TIME], at[ROW_KEY], at["!reference 0"]
        self._columns = [(at[name], scanner.uses[at[name]].meaning is None) for name in columns]
        self._high, self._low = np.zeros(
            (2, 0), dtype=np.int64
        )  # customers by the scanner's code of their reference
        self._codes = np.zeros(
            0, dtype=np.int64
        )  # the partition's codes by the scanner's, -1 where not asked yet

    def fill(self, batch: Batch, buffer: Buffer, rows: Ints) -> None:
        """Enter this table's messages, which are ``rows`` of the buffer."""
        if len(rows) == 0:
            return
        scanned = self.scanner.scan(buffer, rows)
        if scanned is None or not scanned.op.all():
            raise ValueError("a message that the scanner does not read")
        self._know_texts()
        values = scanned.values
        batch.op[rows] = operations(scanned.op)
        batch.key_low[rows] = values[:, self._key]
        batch.position[rows] = scanned.position
        # Of a deleted row only key and customer are read; its time is the beginning of the minute
        # (`streams.contract.deletes`).
        kept = np.flatnonzero(scanned.op != DELETE)
        batch.event_us[rows] = batch.minute[0] * np.int64(MINUTE_US)
        references = values[:, self._reference]
        batch.customer_high[rows] = self._high[references]
        batch.customer_low[rows] = self._low[references]
        nulls = scanned.nulls
        if len(kept) < len(rows):
            values, nulls, rows = values[kept], nulls[kept], rows[kept]
        batch.event_us[rows] = values[:, self._event]
        own = np.empty((len(rows), len(self._columns)), dtype=np.int64)
        for place, (use, is_text) in enumerate(self._columns):
            own[:, place] = self._encoded(values[:, use]) if is_text else values[:, use]
        batch.values[rows, : own.shape[1]] = own
        if nulls.any():
            batch.nulls[rows] = self._nulls(nulls)

    def _nulls(self, nulls: Ints) -> Ints:
        own = np.zeros(len(nulls), dtype=np.int64)
        for place, (use, _) in enumerate(self._columns):
            own |= ((nulls >> use) & 1) << place
        return own

    def _encoded(self, found: Ints) -> Ints:
        """Return the partition's codes of the scanner's."""
        codes = self._codes[found]
        if len(codes) and codes.min() < 0:
            new = np.unique(found[codes < 0])
            self._codes[new] = self._partition.encode_texts(
                [self.scanner.texts[code] for code in new.tolist()]
            )
            codes = self._codes[found]
        return codes

    def _know_texts(self) -> None:
        """Extend what is known by code to the texts that the scanner has met since."""
        texts = self.scanner.texts[len(self._codes) :]
        if texts:
            high, low = hash128([f"{self._kind}:{text}" for text in texts])
            self._high, self._low = np.concatenate([self._high, high]), np.concatenate([self._low, low])
            self._codes = np.concatenate([self._codes, np.full(len(texts), -1, dtype=np.int64)])
