"""The history of an embedded shop, in its data folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from app.log_folder import data_folder
from app.output import notes
from app.shop import Shop
from streams.log.log import Log

if TYPE_CHECKING:
    from sinks.history.history import History

HISTORY_FOLDER = "history"


@contextmanager
def open_history(folder: Path, shop: Shop, log: Log) -> Iterator[History]:
    """Open history for questions, for a ``with`` block, once it has what the log has gained.

    Raises InputError where another process has it open.
    """
    from sinks.history.embedded import ChdbHistory
    from sinks.history.relay import HistoryRelay

    store = ChdbHistory(data_folder(folder, shop) / HISTORY_FOLDER, shop.settings.zone)
    try:
        relay = HistoryRelay(store, log)
        waiting = relay.lag().rows
        if waiting:
            with notes.status("copying the log") as status:
                relay.catch_up(lambda done: status.update(f"copying the log: {done:,} of {waiting:,}"))
        yield store
    finally:
        store.close()
