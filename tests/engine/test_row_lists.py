"""Each customer's rows lie in the order of event time and key, whatever came, moved and went (W9)."""

from __future__ import annotations

from random import Random

import numpy as np

from engine.engine import Engine
from engine.partition import Partition
from engine.row_step import DELETE, UPSERT
from engine.state import WHOLE_KEY
from profiles.lists import GAP, SCANNED
from tests.engine.test_widening import MINUTE, new_engine, orders_of, read

MINUTE_US = 60_000_000
CUSTOMERS, KEYS, CHANGES = 2, 6 * SCANNED, 3_000


def held_rows(partition: Partition, c: int) -> list[tuple[int, int, int]]:
    """Return (event minute, microseconds, key) of a customer's rows as their list has them."""
    memory = partition.memory
    start, size = int(memory["list_start"][c]), int(memory["list_size"][c])
    gap = int(memory["place"][start]) if size and memory["list_class"][c] >= GAP else 0
    rows = memory["place"][start + gap : start + gap + size]
    keys = memory["entry_low"][memory["row_entry"][rows]]
    minutes, micros = memory["row_minute"][rows], memory["row_micro"][rows]
    return list(zip(minutes.tolist(), micros.tolist(), keys.tolist(), strict=True))


def changes(random: Random, rows: dict[int, tuple[int, int, int, int]], count: int) -> list[tuple[int, ...]]:
    """Return (op, customer, key, event us, amount) of random changes; ``rows`` follows them."""
    made: list[tuple[int, ...]] = []
    for _ in range(count):
        key = random.randrange(KEYS)
        known = rows.get(key)
        if known is not None and random.random() < 0.3:
            made.append((DELETE, known[0], key, known[1] * MINUTE_US, 0))
            del rows[key]
            continue
        late = random.choice([0, 0, 0, 1, 40])  # most rows of one moment differ by their keys alone
        c, minute, micro = random.randrange(CUSTOMERS), MINUTE - late, random.choice([0, 1])
        if known is not None and random.random() < 0.6:  # an update that leaves the row at its place
            c, minute, micro = known[:3]
        rows[key] = (c, minute, micro, random.randrange(1_000))
        made.append((UPSERT, c, key, minute * MINUTE_US + micro, rows[key][3]))
    return made


def test_a_list_is_its_customers_rows_in_order_after_any_changes() -> None:
    """W9, W1: rows come late, move, stay where they are with other values, change hands and go."""
    engine, random = new_engine(), Random(11)
    rows: dict[int, tuple[int, int, int, int]] = {}
    step = 0
    while step < CHANGES:
        made = changes(random, rows, 50)
        batch = orders_of([change[4] for change in made], [WHOLE_KEY] * len(made))
        batch.op[:], batch.customer_low[:], batch.key_low[:], batch.event_us[:] = np.array(made)[:, :4].T
        batch.offset[:] = np.arange(step + 1, step + 1 + len(made))
        engine.feed(0, batch, step)
        engine.run()
        step += len(made)
        check(engine, rows)


def check(engine: Engine, rows: dict[int, tuple[int, int, int, int]]) -> None:
    partition = engine.partitions[0]
    for c in range(partition.customers):
        low = int(partition.memory["customer_low"][c])
        own = sorted((minute, micro, key) for key, (who, minute, micro, _) in rows.items() if who == low)
        assert held_rows(partition, c) == own
        if c == 0:
            assert read(engine, "total") == sum(row[3] for row in rows.values() if row[0] == low)
            assert read(engine, "last") == rows[own[-1][2]][3]
