"""Small worlds: a shop and a log of records, as the engine gets them and as the reference reads them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import xxhash

from app.replay import control_number
from engine.batch import Batch
from engine.outcome import Decision
from engine.partition import HISTORY, Partition
from reference.frames import CONTROL, ENVELOPE
from rfm.record import record_said
from streams.feed import fill_receipt, fill_switch
from tests.called import id_of
from tests.laws.shops import Small

ROW, TICK, MANUAL, CONSENT, FRESH, ERASE, CUTS, SWITCH, RECEIPT = range(9)
UPSERT, INSERT, UPDATE, DELETE, READ, MOVE_OUT = range(6)
IMPORT, LIVE = 0, 1
MODES = ("import", "live")
LOWEST = -(2**63)  # the high half of whole-number keys (W1)


def customer_id(number: int) -> str:
    """Return the id of the customer of a small number: about half of them are negative as numbers."""
    return id_of(f"member:{number}")


def partition_of(customer: int, partitions: int) -> int:
    """Return a customer's partition (P1)."""
    return xxhash.xxh3_64_intdigest(bytes.fromhex(customer_id(customer))) % partitions


@dataclass(frozen=True)
class Record:
    """One record of a log. ``said``: columns of a row, or what a control record says; customer -1: nobody."""

    kind: int
    minute: int
    mode: int = LIVE
    customer: int = -1
    source: str = ""
    op: int = UPSERT
    key: int = 0
    position: tuple[int, int, int] = (0, 0, 0)
    event_us: int = 0
    said: dict[str, Any] = field(default_factory=dict)


Log = list[Record]


class Writer:
    """Writes a log as a source would: positions count up, a key keeps its customer until it moves (W7).

    Live records leave out at most ten minutes (T2): `wait` puts ticks between.
    """

    def __init__(self, start: int, mode: int = LIVE) -> None:
        self.minute, self.mode = start, mode
        self.log: Log = []
        self.owner: dict[tuple[str, int], int] = {}
        self.alive: set[tuple[str, int]] = set()
        self.epoch, self.position = 0, 0

    def wait(self, minutes: int) -> None:
        """Let time pass."""
        last = self.minute + minutes
        if self.mode == LIVE and self.log and self.log[-1].mode == LIVE:
            for minute in range(self.log[-1].minute + 10, last, 10):
                self.log.append(Record(TICK, minute, LIVE))
        self.minute = last

    def tick(self) -> None:
        self.log.append(Record(TICK, self.minute, self.mode))

    def row(
        self, source: str, key: int, customer: int, op: int = UPSERT, event: int | None = None,
        second: float = 0,
        position: tuple[int, int, int] | None = None, **said: Any,
    ) -> Record:  # fmt: skip
        """Write one row; of another customer than before it is two records. ``event`` is a minute."""
        self.position += 1
        at = position or (self.epoch, self.position, 0)
        us = round(((self.minute if event is None else event) * 60 + second) * 1_000_000)
        here = source, key
        before = self.owner.get(here, customer)
        if here not in self.alive or op == DELETE:
            customer = before
        if before != customer and position is None:
            self._put(Record(ROW, self.minute, self.mode, before, source, MOVE_OUT, key, at, us))
            op = READ
        else:
            customer = before
        self.owner[here] = customer
        (self.alive.discard if op == DELETE else self.alive.add)(here)
        return self._put(
            Record(
                ROW, self.minute, self.mode, customer, source, op, key, at, us, {} if op == DELETE else said
            )
        )

    def begin_epoch(self) -> None:
        """A new connector or snapshot: source positions begin anew (W2)."""
        self.epoch, self.position = self.epoch + 1, 0

    def again(self, record: Record) -> None:
        """Deliver a record once more, now."""
        self._put(replace(record, minute=self.minute, mode=self.mode))

    def manual(self, tag: str, customer: int, on: bool | None, until: int | None = None) -> None:
        self._put(
            Record(MANUAL, self.minute, self.mode, customer, said={"tag": tag, "on": on, "until": until})
        )

    def consent(self, customer: int, granted: bool, until: int | None = None) -> None:
        said = {"channel": "sms", "purpose": "marketing", "granted": granted, "until": until}
        self._put(Record(CONSENT, self.minute, self.mode, customer, said=said))

    def fresh(self, source: str, until: int | None = None) -> None:
        """A source is heard of until a minute, now when absent (D4)."""
        said = {"source": source, "until": self.minute if until is None else until}
        self._put(Record(FRESH, self.minute, self.mode, said=said))

    def switch(self, what: str, off: bool = True) -> None:
        """Stop everything (""), channel/NAME or trigger/NAME, or let it go on (D5)."""
        self._put(Record(SWITCH, self.minute, self.mode, said={"what": what, "off": off, "reason": ""}))

    def receipt(self, customer: int, decision: Decision, state: str = "failed") -> None:
        """Say what became of a decision (D5)."""
        said = {
            "decision": decision.id, "trigger": decision.trigger, "minute": decision.minute,
            "cause": decision.cause, "state": state,
        }  # fmt: skip
        self._put(Record(RECEIPT, self.minute, self.mode, customer, said=said))

    def erase(self, customer: int) -> None:
        """Forget a customer (P7); whose their rows were is not known any more."""
        for here in [here for here, owner in self.owner.items() if owner == customer]:
            del self.owner[here]
            self.alive.discard(here)
        self._put(Record(ERASE, self.minute, self.mode, customer))

    def _put(self, record: Record) -> Record:
        self.log.append(record)
        return record


def split(log: Log, partitions: int) -> list[list[Record]]:
    """Return each partition's records; those of nobody (ticks) go to all."""
    parts: list[list[Record]] = [[] for _ in range(partitions)]
    for record in log:
        for part in range(partitions) if record.customer < 0 else [partition_of(record.customer, partitions)]:
            parts[part].append(record)
    return parts


def batch_of(small: Small, partition: Partition, records: Sequence[Record]) -> Batch:
    """Return records of one partition as the kernel's columns; new texts get the partition's next codes."""
    plan = small.plan
    cuts = {i: record_said(record.said) for i, record in enumerate(records) if record.kind == CUTS}
    batch = replace(Batch.zeros(len(records), plan.dimensions["row_values"]), cuts=cuts)
    for i, record in enumerate(records):
        batch.kind[i], batch.minute[i], batch.mode[i] = record.kind, record.minute, record.mode
        if record.customer >= 0:
            batch.customer_high[i], batch.customer_low[i] = _halves(customer_id(record.customer))
        if record.kind == ROW:
            _fill_row(small, partition, batch, i, record)
        elif record.kind == CUTS:
            batch.mode[i] = HISTORY if cuts[i].history else record.mode
        elif record.kind in (SWITCH, RECEIPT):
            batch.kind[i] = TICK  # unless the plan knows what it names
            _fill_control(small, batch, i, record)
        elif record.kind not in (TICK, ERASE):
            _fill_control(small, batch, i, record)
    return batch


def _halves(hexes: str) -> tuple[int, int]:
    high, low = np.frombuffer(bytes.fromhex(hexes), dtype=">i8").tolist()
    return high, low


def _fill_row(small: Small, partition: Partition, batch: Batch, i: int, record: Record) -> None:
    number, columns = small.plan.projection[record.source]
    batch.source[i], batch.op[i], batch.event_us[i] = number, record.op, record.event_us
    batch.key_high[i], batch.key_low[i] = LOWEST, record.key
    batch.epoch[i], batch.position[i], batch.offset[i] = record.position
    for j, name in enumerate(columns):
        value = record.said.get(name)
        if value is None:
            batch.nulls[i] |= 1 << j
        elif isinstance(value, str):
            batch.values[i, j] = partition.encode_texts([value])[0]
        else:
            batch.values[i, j] = int(value)


def _fill_control(small: Small, batch: Batch, i: int, record: Record) -> None:
    said = record.said
    if record.kind in (SWITCH, RECEIPT):
        fill = fill_switch if record.kind == SWITCH else fill_receipt
        fill(batch, i, said, partial(control_number, small.plan))
        return
    if record.kind == FRESH:
        batch.arg_a[i], batch.arg_b[i] = small.plan.projection[said["source"]][0], said["until"]
        return
    if record.kind == MANUAL:
        batch.arg_a[i] = small.plan.tag.number[said["tag"]]
        batch.arg_b[i] = 2 if said["on"] is None else int(said["on"])
    else:
        batch.arg_a[i] = small.plan.trigger.consents.index(f"{said['channel']}/{said['purpose']}") + 1
        batch.arg_b[i] = int(said["granted"])
    batch.arg_c[i] = said["until"] or 0


def frames_of(small: Small, log: Log, partitions: int) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Return the log as the reference reads it: a frame of each source, and the control records."""
    return frames_of_parts(small, split(log, partitions))


def frames_of_parts(
    small: Small, parts: Sequence[Sequence[Record]]
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Return the same of the logs of all partitions."""
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in small.pieces.sources}
    control: list[dict[str, Any]] = []
    for number, records in enumerate(parts):
        for step, record in enumerate(records):
            if record.kind == ROW:
                rows[record.source].append(_row_of(number, step, record) | record.said)
            else:
                control.append(_control_of(number, step, record))
    return {name: _frame(small, name, found) for name, found in rows.items()}, pd.DataFrame(
        control, columns=CONTROL
    )


def _row_of(partition: int, step: int, record: Record) -> dict[str, Any]:
    place = (record.op, LOWEST, record.key, *record.position)
    values = (
        partition,
        step,
        record.minute,
        MODES[record.mode],
        *place,
        customer_id(record.customer),
        record.event_us,
    )
    return dict(zip(ENVELOPE, values, strict=True))


def _control_of(partition: int, step: int, record: Record) -> dict[str, Any]:
    names = {
        TICK: "tick", MANUAL: "manual", CONSENT: "consent", FRESH: "fresh", ERASE: "erase", CUTS: "cuts",
        SWITCH: "switch", RECEIPT: "receipt",
    }  # fmt: skip
    kind = names[record.kind]
    customer = customer_id(record.customer) if record.customer >= 0 else None
    values = (partition, step, record.minute, kind, customer, json.dumps(record.said))
    return dict(zip(CONTROL, values, strict=True))


def _frame(small: Small, name: str, records: list[dict[str, Any]]) -> pd.DataFrame:
    declared = small.pieces.sources[name].columns
    frame = pd.DataFrame(records, columns=[*ENVELOPE, *declared])
    return frame.astype({column: "string" if c.type == "text" else "Int64" for column, c in declared.items()})


def minutes_of(log: Log) -> Iterator[int]:
    """Yield the different minutes of a log, ascending."""
    yield from sorted({record.minute for record in log})
