"""What is known of the life of triggers, wherever a shop is run; and of an embedded shop."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from app.life.gate import past_of_log
from app.log_folder import data_folder, open_log
from app.sending.revocations import Revocations
from app.shop import Shop
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.switches import Asked, asked, reasons_with
from streams.log.log import FILE_NAME
from triggers.past import Past


@dataclass(frozen=True)
class Known:
    """past: of each trigger that has one; off: what is switched off, by its name in the log, and why; ledger:
    has what they decided."""

    past: Mapping[str, Past]
    off: Mapping[str, str]
    ledger: sqlite3.Connection


@contextlib.contextmanager
def known_here(folder: Path, shop: Shop) -> Iterator[Known]:
    """Yield what an embedded shop's data folder has; where there is no log yet, no past. It may be asked
    beside the running shop."""
    with contextlib.closing(Ledger(data_folder(folder, shop))) as ledger:
        past, off = _past_and_off(folder, shop, asked(ledger))
        yield Known(past, off, ledger.connection)


def _past_and_off(
    folder: Path, shop: Shop, turned: list[Asked]
) -> tuple[dict[str, Past], dict[str, str]]:  # fmt: skip
    if not (data_folder(folder, shop) / FILE_NAME).exists():
        return {}, reasons_with({}, turned)
    with open_log(folder, shop) as log:
        standing = Revocations(log, time.time)
        standing.refresh(turned)
        return past_of_log(log), standing.reasons()
