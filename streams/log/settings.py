"""The settings in force: the shop's declarations as records of the log (semantics P2, G4)."""

from __future__ import annotations

from streams.log.block import CONTROL
from streams.log.log import Log


def last_settings(log: Log, partition: int = 0) -> tuple[int, str] | None:
    """Return (step, body) of the partition's newest settings record, or None while there is none."""
    found: tuple[int, str] | None = None
    for block in log.blocks(partition, holding="!settings"):
        table = block.tables([CONTROL])[CONTROL]
        for ordinal, kind, body in zip(
            *(table[name].to_pylist() for name in ("ordinal", "kind", "body")), strict=True
        ):
            if kind == "settings":
                found = block.first_step + ordinal, body
    return found
