"""What stands beside the blocks of a log, as its new form says it: in the headers of blocks that hold nothing
else."""

from __future__ import annotations

from collections.abc import Mapping

from streams.contract.source import Source
from streams.log.log import Log
from streams.migrate.former import directory, parked
from streams.personal.vault import Vault
from streams.shared.delta import Told
from streams.shared.entries import pack

_ENTRIES = 2000  # of a block


def beside(log: Log, sources: Mapping[str, Source], vault: Vault) -> list[Told]:
    """Return what no record of a log says: rows that were deleted before they were seen, or are nobody's by
    an erasure, parked ones, and who once had rows of others. sources, vault: as of `former.parked`."""
    known = directory(log)
    without = [
        (known.names[int(known.source[at])], known.keys[at], pack(known.rows[at : at + 1])[0])
        for at in range(int((known.code < 0).sum()))
    ]
    waiting: list[tuple[str, bytes, bytes | None]] = [*parked(log, sources, vault)]
    formers = list(log.vault.moves())
    return [
        Told(others=without[at : at + _ENTRIES], parked=waiting[at : at + _ENTRIES],
             formers=formers[at : at + _ENTRIES])
        for at in range(0, max(len(without), len(waiting), len(formers)), _ENTRIES)
    ]  # fmt: skip
