"""What the peers' documents must be: what our engine says of the same bytes, at each document's minute.

A document is right for the minute that it names, or for a later one if time alone must have changed it by
then. Left out is membership in tags that rest on memory: a sticky one depends on the order in which rows of
different topics came, and at which minutes (semantics L2), and so does what reads it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
import pandas as pd

from app.shop import Shop
from bench.cluster.rows import Row
from bench.messages import debezium_shop, member_ids, members
from bench.peers.shop import with_fixed_cuts
from bench.reader import Reader
from bench.shops import small_shop, without
from engine.engine import LIVE, Engine
from engine.plan import build
from engine.readout import frames
from streams.identity.partition import id_bytes

Documents = dict[str, dict[str, Any]]
OF_MEMORY = {"a10", "a19"}
PIECE = 50_000  # messages read at once


def peers_shop() -> Shop:
    """Return the shop whose metrics, scores and tags the peers keep: RFM by given cut points."""
    return debezium_shop(with_fixed_cuts(small_shop()))


class Expected:
    """Takes messages in the order in which each row's were written. customers: those who have had
    a row; rows: all."""

    def __init__(self, customers: int) -> None:
        self.customers: set[str] = set()
        self._members = members(customers)
        self.rows: list[Row] = []

    def take(self, row: Row) -> None:
        """Remember a message."""
        self.customers.add(self._members[row.customer])
        self.rows.append(row)

    def at(self, minutes: Collection[int]) -> Iterator[tuple[int, Documents]]:
        """Yield each minute with all customers' documents at it, minutes ascending and no more than ten apart
        from the first row's, or from each other."""
        if not minutes:
            return
        packed = map(bytes.hex, (id_bytes(*one[:, None]) for one in member_ids(len(self._members))))
        names = dict(zip(packed, self._members, strict=True))
        plan = build(without(peers_shop(), "triggers"))
        engine = Engine(plan, 1, lambda *_: None, lambda *_: 0)
        partition = engine.partitions[0]
        self._feed(engine, min(minutes))
        specs = {name: spec for name, (spec, _) in plan.declared.items()}
        for minute in sorted(minutes):
            while engine.clock < minute:
                engine.advance(engine.clock + 1, LIVE)
            yield minute, _documents(frames(partition, specs), names)

    def _feed(self, engine: Engine, minute: int) -> None:
        """Give the engine all rows at one minute; those dated later wait in it."""
        partition = engine.partitions[0]
        reader = Reader(peers_shop(), partition.plan, partition)
        numbers = partition.plan.metric.source_number
        learnt = set()
        for first in range(0, len(self.rows), PIECE):
            rows = self.rows[first : first + PIECE]
            for row in rows:
                if row.source not in learnt:
                    reader.learn(row.value, numbers[row.source])
                    learnt.add(row.source)
            source = np.array([numbers[row.source] for row in rows])
            engine.feed(0, reader.batch([row.value for row in rows], source, minute), engine.steps[0])
            engine.run()


def _documents(found: dict[str, pd.DataFrame], names: dict[str, str]) -> Documents:
    scores = next(frame for name, frame in found.items() if name.startswith("rfm "))
    tags = list(found["member"].columns)
    whole = zip(
        found["metrics"].index,
        found["metrics"].itertuples(index=False),
        scores[["r", "f", "m"]].fillna(0).itertuples(index=False),
        found["member"].itertuples(index=False),
        strict=True,
    )
    return {
        names[one]: {
            "metrics": {name: _plain(value) for name, value in zip(found["metrics"], metrics, strict=True)},
            "rfm": [int(score) for score in rfm],
            "tags": [tag for tag, held in zip(tags, member, strict=True) if held],
        }
        for one, metrics, rfm, member in whole
    }


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return f"{value[0]}/{value[1]}"
    if value is None or value is pd.NA or value != value:
        return None
    return value if isinstance(value, str) else int(value)


def different(expected: Expected, found: Documents, until: int = 0) -> set[str]:
    """Return the customers whose documents are wrong, or only one side has them. until: the minute at which
    documents of an earlier one must be right still, as time alone is in them."""
    minutes: dict[int, list[str]] = {}
    for member, document in found.items():
        minutes.setdefault(max(document["minute"], until), []).append(member)
    wrong = expected.customers ^ found.keys()
    for minute, documents in expected.at(minutes):
        for member in minutes[minute]:
            if _comparable(documents.get(member)) != _comparable(found[member]):
                wrong.add(member)
    return wrong


def _comparable(document: dict[str, Any] | None) -> dict[str, Any] | None:
    if document is None:
        return None
    tags = set(document["tags"]) - OF_MEMORY
    return {"metrics": document["metrics"], "rfm": document["rfm"], "tags": tags}
