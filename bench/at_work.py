"""The measured shop at work in a folder: its past taken in, log, engine, store, relays and history real."""

from __future__ import annotations

import contextlib
import gc
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from app.embedded import Embedded, open_embedded, spare_the_collector, take_short_turns
from app.load import load_shop
from app.log_folder import open_log
from app.runtime import keep_settings
from app.service import Stopped
from bench.folder import write_shop
from bench.load import CLOCK
from bench.messages import Messages, member_ids, members
from bench.workload import CATEGORIES, STATUSES, Ints, Workload
from engine.batch import Batch
from engine.plan import build
from streams.contract.check import TEXT, check_rows
from streams.intake import Taking, concealed, take_in
from streams.report import ImportReport

TEXTS = [*STATUSES, *CATEGORIES]
SETTLED_SECONDS = 60.0
SETTLED_ROWS = 2_000  # records and effects that history lacks: one small insert
ZONE = ZoneInfo("UTC")
PIECE = 2_000  # changes drawn together


class Clock:
    """The shop's wall clock: seconds since 1970. It goes as fast as any, and can be put forward."""

    def __init__(self) -> None:
        self._ahead = (CLOCK + 1) * 60 - time.monotonic()

    def __call__(self) -> float:
        return time.monotonic() + self._ahead

    def open_minute_at(self, moment: float) -> None:
        """Put it forward, by less than a minute, so that a minute begins at a moment (monotonic)."""
        self._ahead += -(moment + self._ahead) % 60


@dataclass
class AtWork:
    """opened: the shop; workload, writer: what makes its live messages; now: the clock that it goes by."""

    opened: Embedded
    workload: Workload
    writer: Messages
    now: Clock

    def changes(self, count: int) -> tuple[list[str], list[bytes]]:
        """Draw live changes of the present minute; return the source and the message of each."""
        self.workload.clock = int(self.now() // 60)
        sources: list[str] = []
        messages: list[bytes] = []
        for first in range(0, count, PIECE):  # in pieces: updates reach the rows of those before
            batch = self.workload.changes(min(PIECE, count - first))
            self.workload.remember(batch)
            names, written = self._written(batch)
            sources += names
            messages += written
        return sources, messages

    def orders(self, who: Ints) -> tuple[list[str], list[bytes]]:
        """Return a paid order of each of these customers, now."""
        self.workload.clock = int(self.now() // 60)
        plan = self.workload.plan
        source, columns = plan.projection["orders"]
        batch = self.workload.inserts(np.full(len(who), source), who, np.full(len(who), self.workload.clock))
        batch.values[:, columns.index("status")] = self.workload.codes["paid"]
        return self._written(batch)

    def _written(self, batch: Batch) -> tuple[list[str], list[bytes]]:
        names = self.workload.plan.metric.sources
        return [names[number] for number in batch.source.tolist()], self.writer.of(batch)

    def settle(self) -> None:
        """Wait until everything accepted is in the store, and history has come after but for little.

        Raises TimeoutError where that takes more than a minute.
        """
        self.opened.service.ask(lambda _: None).result(SETTLED_SECONDS)
        deadline = time.monotonic() + SETTLED_SECONDS
        while self.opened.relays.lag.rows > SETTLED_ROWS:
            if time.monotonic() > deadline:
                raise TimeoutError("history has not come after in a minute")
            time.sleep(0.05)


@contextlib.contextmanager
def at_work(folder: Path, customers: int, rows_kept: int, apart: int) -> Iterator[AtWork]:
    """Make the shop, take its past in and set it to work.

    apart: so many customers more have no past and are not drawn; they are numbered from ``customers`` on.
    Raises what stopped the service, if it did.
    """
    shop = write_shop(folder, "Bench")
    plan = build(shop)
    codes = {text: code for code, text in enumerate(TEXTS)}
    workload = Workload(plan, customers, codes, CLOCK, ids=member_ids(customers + apart))
    writer = Messages(plan, TEXTS, customers + apart)
    _take_past(folder, workload, customers * rows_kept)
    now = Clock()
    with open_embedded(folder, lambda _: None, now=now) as opened:
        opened.wait_until_ready()
        made = AtWork(opened, workload, writer, now)
        made.settle()
        spare_the_collector()
        take_short_turns()
        try:
            yield made
        except Stopped:
            raise opened.service.failed or RuntimeError("the service has stopped by itself") from None
        finally:
            gc.unfreeze()


def _take_past(folder: Path, workload: Workload, rows: int) -> None:
    """Take the rows of the past in as an import does, but all in one minute: the years before need not be
    gone through minute by minute.
    """
    shop = load_shop(folder)
    with open_log(folder, shop, write=True) as log:
        keep_settings(log, shop)
        names = np.array(members(workload.customers))
        how = Taking(shop.sources, shop.settings.identity_priority, "import", CLOCK)
        for batch in workload.history(rows):
            arrived = {}
            for name, (number, columns) in workload.plan.projection.items():
                table = _exported(batch, np.flatnonzero(batch.source == number), columns, names)
                changes = check_rows(shop.sources[name], shop.sources, table, ZONE).changes
                arrived[name] = (changes, np.arange(len(changes)))
            with log.transaction():
                take_in(log, how, concealed(log, shop.sources, arrived), ImportReport())


def _exported(batch: Batch, rows: Ints, columns: Sequence[str], names: NDArray[np.str_]) -> pa.Table:
    """Return rows of one table as an export has them: columns of text."""
    found: dict[str, Any] = {
        "id": batch.key_low[rows],
        "member_id": names[batch.arg_a[rows]],
        "at": np.datetime_as_string(batch.event_us[rows].astype("datetime64[us]"), timezone="UTC"),
    }
    for place, column in enumerate(columns):
        values = batch.values[rows, place]
        if column == "amount":
            found[column] = [f"{cents // 100}.{cents % 100:02}" for cents in values.tolist()]
        else:
            found[column] = np.array(TEXTS)[values] if column in ("status", "category") else values
    return pa.table({name: pa.array(values).cast(TEXT) for name, values in found.items()})
