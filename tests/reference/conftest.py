"""A log written by hand, row by row, as the frames that the reference reads."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from reference.frames import CONTROL, ENVELOPE
from reference.pieces import Pieces
from reference.recompute import Recomputed, recompute
from streams.contract.source import Source

OPS = {"upsert": 0, "insert": 1, "update": 2, "delete": 3, "snapshot": 4, "move": 5}


def customer_id(number: int) -> str:
    """Return the id of the customer of a small number."""
    return f"{number:032x}"


class Book:
    """Rows and control records in step order. Minutes are epoch minutes; steps and positions count up."""

    def __init__(self, pieces: Pieces) -> None:
        self.pieces = pieces
        self.records: dict[str, list[dict[str, object]]] = {name: [] for name in pieces.sources}
        self.orders: list[dict[str, object]] = []
        self.steps: dict[int, int] = {}

    def row(
        self,
        source: str,
        key: int,
        minute: int,
        customer: int = 1,
        event: int | None = None,
        op: str = "upsert",
        position: int | None = None,
        second: int = 0,
        partition: int = 0,
        **columns: object,
    ) -> int:
        """Write one row at append minute ``minute``; its event is then, unless said otherwise."""
        step = self._step(partition)
        event_us = ((minute if event is None else event) * 60 + second) * 1_000_000
        place = 0, step if position is None else position, 0
        values = (partition, step, minute, "live", OPS[op], -(2**63), key, *place)
        record: dict[str, object] = dict(
            zip(ENVELOPE, (*values, customer_id(customer), event_us), strict=True)
        )
        self.records[source].append(record | columns)
        return step

    def step_of_next(self) -> int:
        """Return the step that the next record of partition 0 will have."""
        return self.steps.get(0, -1) + 1

    def manual(
        self, tag: str, minute: int, on: bool | None, until: int | None = None, customer: int = 1
    ) -> None:
        """Write one manual tag."""
        body = json.dumps({"tag": tag, "on": on, "until": until})
        values = (0, self._step(0), minute, "manual", customer_id(customer), body)
        self.orders.append(dict(zip(CONTROL, values, strict=True)))

    def tick(self, minute: int, partition: int = 0) -> None:
        """Write one tick."""
        values = (partition, self._step(partition), minute, "tick", None, "")
        self.orders.append(dict(zip(CONTROL, values, strict=True)))

    def frames(self) -> dict[str, pd.DataFrame]:
        """Return the frame of each source."""
        found = {}
        for name, records in self.records.items():
            declared = self.pieces.sources[name].columns
            frame = pd.DataFrame(records, columns=[*ENVELOPE, *declared])
            types = {column: "string" if c.type == "text" else "Int64" for column, c in declared.items()}
            found[name] = frame.astype(types)
        return found

    def control(self) -> pd.DataFrame:
        """Return the control frame."""
        return pd.DataFrame(self.orders, columns=CONTROL)

    def at(self, minute: int, **options: object) -> Recomputed:
        """Recompute everything at ``minute``."""
        return recompute(self.pieces, self.frames(), self.control(), minute, **options)  # type: ignore[arg-type]  # tests pass the function's own options

    def metric(self, text: str, minute: int, customer: int = 1) -> object:
        """Return one metric, as the pieces declare it under ``text``, of one customer at ``minute``."""
        return self.at(minute).declared.loc[customer_id(customer), text]

    def _step(self, partition: int) -> int:
        step = self.steps.get(partition, -1) + 1
        self.steps[partition] = step
        return step


def source(**types: str) -> Source:
    """Return a source with the columns of the types named (such as ``amount="int"``)."""
    columns = {name: {"type": kind} for name, kind in types.items()}
    return Source.model_validate({"key": ["id"], "event_time": {"column": "at"}, "columns": columns})


class Shelf:
    """What tests build a log from."""

    book = Book
    source = staticmethod(source)
    customer_id = staticmethod(customer_id)

    def orders(self, *metrics: str, zone: str = "UTC", **more: object) -> Book:
        """Return a book of the source orders (amount int, status text, paid bool) with metrics to look at."""
        orders = source(amount="int", status="text", paid="bool")
        pieces = Pieces(zone, {"orders": orders}, {text: text for text in metrics}, **more)  # type: ignore[arg-type]  # the pieces a test names
        return Book(pieces)


@pytest.fixture
def shelf() -> Shelf:
    """The parts of a log written by hand."""
    return Shelf()


@pytest.fixture(scope="session")
def shelf_class() -> type[Shelf]:
    """The class itself, for tests that make a log for each example."""
    return Shelf
