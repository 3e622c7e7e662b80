"""A log without its first records: a worker's copy that begins at a shared snapshot (decision 0018)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from streams.log.block import CONTROL


class BeginsLate(Exception):
    """Records are asked for that lie before the log's first one."""


@dataclass(frozen=True)
class Begins:
    """Where a log of one partition begins. step: of its first record; minute, mode: of the record before it;
    last: name of each source, and ``!control``, to its last step before that."""

    step: int
    minute: int
    mode: str
    last: Mapping[str, int]

    def said(self) -> str:
        """Return it as JSON."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)


def table_of(held: str) -> str:
    """Return the table of what a block says that it holds: a source's, or that of control records."""
    return CONTROL if held.startswith("!") else held
