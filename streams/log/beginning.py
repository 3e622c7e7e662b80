"""How another copy of a partition's log can begin at one of its steps (decision 0018)."""

from __future__ import annotations

import pyarrow.compute as pc

from streams.log.begins import Begins
from streams.log.block import Block
from streams.log.log import Log


def begins_at(log: Log, step: int) -> Begins:
    """Return how another copy of a log's only partition can begin at a step, which must begin a block or end
    the log. Raises ValueError where it does not."""
    before = next(log.blocks(0, step - 1, step))
    if before.first_step + before.count != step:
        raise ValueError(f"step {step} lies within a block")
    last = dict(log.begins.last) if log.begins is not None else {}
    for name, block in log.newest_holding(0, step).items():
        last[name] = _last_step(block, name)
    return Begins(step, before.last_minute, before.mode, last)


def _last_step(block: Block, name: str) -> int:
    """Return the last step that a table has in a block."""
    table = block.tables([name])[name]
    return block.first_step + int(pc.max(table["ordinal"]).as_py())
