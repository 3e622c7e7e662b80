"""Bytewax doing the same: bytes in, decoded by msgspec, one stateful logic a customer.

``python with_bytewax.py FOLDER`` in an environment that has bytewax and msgspec; FOLDER holds history.jsonl,
live.jsonl, about.json and the generated customer.py. Prints one JSON object. Its notifications follow the
wall clock, which a replay outruns, so a customer's rows leave their windows when it is next touched: less
work than ours, which advances everybody every minute.
"""

# Runs in an environment of its own, which mypy does not see:
# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import gc
import json
import sys
import time
from itertools import islice
from pathlib import Path
from typing import Any

FOLDER = Path(sys.argv[1])
sys.path[:0] = [str(FOLDER), str(Path(__file__).parent)]

import bench_customer  # noqa: E402 - found by the lines above
import bytewax.operators as op  # noqa: E402
from bytewax.dataflow import Dataflow  # noqa: E402
from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition  # noqa: E402
from bytewax.operators import StatefulBatchLogic  # noqa: E402
from bytewax.testing import TestingSink, run_main  # noqa: E402
from customer import Customer  # noqa: E402
from decode import change_of  # noqa: E402

BATCH = 1_000
ABOUT = json.loads((FOLDER / "about.json").read_text())
LOGICS: list[Logic] = []
MARKS: dict[str, float] = {}


class Logic(StatefulBatchLogic):  # type: ignore[misc]  # untyped here
    """One customer's state."""

    def __init__(self) -> None:
        self.customer: Customer | None = None
        LOGICS.append(self)

    def on_batch(self, values: list[Any]) -> tuple[list[Any], bool]:
        """Apply the changes in their order, each judged by itself."""
        customer = self.customer
        if customer is None:
            customer = self.customer = Customer(values[0][0])
        for _, change in values:
            customer.change(*change)
        if not customer.log:
            return [], StatefulBatchLogic.RETAIN
        log, customer.log = customer.log, []
        return log, StatefulBatchLogic.RETAIN

    def snapshot(self) -> None:
        """Recovery is off."""


class Source(FixedPartitionedSource):  # type: ignore[misc]  # untyped here
    """The messages in batches; notes the process time where the live ones begin and end."""

    def list_parts(self) -> list[str]:
        """One."""
        return ["all"]

    def build_part(self, *_: Any) -> StatefulSourcePartition[bytes, int]:
        """Read the live messages first."""
        return Part((FOLDER / "live.jsonl").read_bytes().splitlines())


class Part(StatefulSourcePartition):  # type: ignore[misc]  # untyped here
    def __init__(self, live: list[bytes]) -> None:
        self.history = (FOLDER / "history.jsonl").open("rb")
        self.live, self.at = live, -1

    def next_batch(self) -> list[bytes]:
        """Return the next messages."""
        if self.at < 0:
            messages = list(islice(self.history, BATCH))
            if messages:
                return messages
            self.at = 0
            gc.collect()
            gc.enable()
            gc.freeze()  # the collector need not look at the past again and again
            MARKS["begin"] = time.process_time()
        if self.at >= len(self.live):
            MARKS["end"] = time.process_time()
            raise StopIteration
        self.at += BATCH
        return self.live[self.at - BATCH : self.at]

    def snapshot(self) -> int:
        """Return where it stands."""
        return self.at


def main() -> None:
    """Run the flow, print the figure, write the answers."""
    gc.disable()  # until the past is in
    bench_customer.LIVE_FROM = ABOUT["live_from"]
    out: list[Any] = []
    flow = Dataflow("tintype")
    messages = op.input("messages", flow, Source())
    keyed = op.map("decode", messages, _keyed)
    effects = op.stateful_batch("profiles", keyed, lambda _: Logic())
    op.output("effects", effects, TestingSink(out))
    run_main(flow)
    customers = [logic.customer for logic in LOGICS if logic.customer is not None]
    for customer in customers:
        customer.finish(ABOUT["until"])
    with (FOLDER / "answers-bytewax.jsonl").open("w") as file:
        for customer in customers:
            file.write(json.dumps([customer.name, customer.answer(), customer.tags]) + "\n")
    taken = (MARKS["end"] - MARKS["begin"]) / ABOUT["changes"] * 1e6
    late = sum(len(customer.log) for customer in customers)
    print(json.dumps({"us": taken, "effects": len(out) + late}))


def _keyed(message: bytes) -> tuple[str, Any]:
    member, change = change_of(message)
    return member, (member, change)


if __name__ == "__main__":
    main()
