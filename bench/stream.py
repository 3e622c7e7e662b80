"""The measured stream as files, for everybody who shall do the same: history, live changes, what came out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from app.shop import Shop
from bench.load import ROWS_KEPT, Loaded
from bench.messages import Messages, member_ids, members
from bench.workload import Workload
from engine.batch import Batch
from engine.readout import customer_ids, metric_series, tag_bits
from streams.identity.partition import id_bytes

MINUTES = 10


@dataclass
class Minute:
    """The live changes of one minute: as columns and as bytes; source: int64, the plan's number of each."""

    batch: Batch
    messages: list[bytes]


class Stream:
    """A shop's engine with its history, and the live changes that follow, made minute by minute."""

    def __init__(self, shop: Shop, customers: int) -> None:
        self.shop, self.customers = shop, customers
        self.loaded = Loaded(shop, customers, ids=member_ids(customers))
        self.rows = customers * ROWS_KEPT
        self.live_from = self.loaded.engine.clock
        self.writer = self._writer()

    def _writer(self) -> Messages:
        partition = self.loaded.engine.partitions[0]
        return Messages(self.loaded.plan, partition.texts, self.customers)

    def minute(self, changes: int) -> Minute:
        """Draw the changes of the minute at which the engine stands."""
        batch = self.loaded.workload.changes(changes)
        return Minute(batch, self.writer.of(batch))

    def open_minute(self) -> None:
        """Advance everybody by a minute."""
        self.loaded.advance()

    def introductions(self) -> Iterator[tuple[int, list[bytes]]]:
        """Yield (source, messages): one of every customer in every table, to be read and not applied."""
        who = np.arange(self.customers)
        clock = np.full(self.customers, self.live_from)
        apart = self._again()
        for source in range(len(self.loaded.plan.metric.sources)):
            batch = apart.inserts(np.full(self.customers, source), who, clock)
            yield source, self._writer().of(batch)

    def write_history(self, path: Path) -> None:
        """Write the rows of the past as inserts."""
        with path.open("wb") as file:
            for batch in self._again().history(self.rows):
                file.writelines(message + b"\n" for message in self.writer.of(batch))

    def _again(self) -> Workload:
        """Return the workload as it was at the beginning: the same seed gives the same rows."""
        loaded = self.loaded
        codes = {text: code for code, text in enumerate(loaded.engine.partitions[0].texts)}
        ids = member_ids(self.customers)
        return Workload(loaded.plan, self.customers, codes, loaded.workload.first_clock, ids=ids)

    def answers(self) -> dict[str, str]:
        """Return every customer's declared metrics and tags as JSON, by reference; those without a row are
        left out.
        """
        partition = self.loaded.engine.partitions[0]
        packed = id_bytes(*member_ids(self.customers).T)
        hexadecimal = (packed[at : at + 16].hex() for at in range(0, len(packed), 16))
        names = dict(zip(hexadecimal, members(self.customers), strict=True))
        columns = []
        for spec, _ in self.loaded.plan.declared.values():
            columns.append([_plain(value) for value in metric_series(partition, spec).tolist()])
        tags = np.zeros(len(columns[0]), dtype=object)
        for place, name in enumerate(self.shop.tags):
            tags += tag_bits(partition, "member", name).astype(object) * (1 << place)
        ids = customer_ids(partition)
        return {
            names[ids[at]]: json.dumps([list(row), tag])
            for at, (*row, tag) in enumerate(zip(*columns, tags.tolist(), strict=True))
        }


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return f"{value[0]}/{value[1]}"
    if value is None or value is pd.NA or value != value:
        return None
    return value if isinstance(value, str) else int(value)  # type: ignore[call-overload]
