"""The messages of a batch that the scanner reads, of all sources; the others are left to their decoders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from streams.cdc.change import RowChange
from streams.change import Changes
from streams.contract.source import Source
from streams.message import Message
from streams.scan.changes import ChangeScanner
from streams.scan.scanner import Buffer, Scanner

Int64s = NDArray[np.int64]
WORTH_WHILE = 32  # messages of one source: a scan of fewer costs more than to decode them


class Scans:
    """One scanner a source that the scanner can read, kept from batch to batch."""

    def __init__(self, sources: Mapping[str, Source], zone: ZoneInfo) -> None:
        self._sources, self._zone = sources, zone
        self._scanners: dict[str, ChangeScanner] = {}  # those that can read their source
        self._made: set[str] = set()
        self._learnt: set[str] = set()  # since the batch began

    def read(self, messages: Sequence[Message], minute: int) -> dict[str, tuple[Changes, Int64s]]:
        """Return by source the changes of the messages that were read, and their places (ascending)."""
        self._learnt = set()
        places: dict[str, list[int]] = {}
        for at, message in enumerate(messages):
            if message.source in self._scanners and _may_be_scanned(message):
                places.setdefault(message.source, []).append(at)
        found = {}
        for name, own in places.items():
            if len(own) >= WORTH_WHILE:
                buffer = Buffer.of([messages[at].value or b"" for at in own])
                changes, rows = self._scanners[name].read(buffer, np.arange(len(own)), minute)
                if len(rows):
                    found[name] = (changes, np.array(own, dtype=np.int64)[rows])
        return found

    def learn(self, message: Message, changes: Sequence[RowChange]) -> None:
        """Take the form of a message that was left over and decoded into one whole row; once a batch.

        A scanner is made here: a source whose declaration cannot be read has failed before.
        """
        name = message.source
        if name in self._learnt or message.value is None or len(changes) != 1:
            return
        if changes[0].missing or changes[0].position is None:
            return
        self._learnt.add(name)
        if name not in self._made:
            self._made.add(name)
            scanner = ChangeScanner(Scanner(self._sources[name], self._zone))
            if scanner.can_read:
                self._scanners[name] = scanner
        if name in self._scanners:
            self._scanners[name].learn(message.value)


def _may_be_scanned(message: Message) -> bool:
    return message.value is not None and not message.is_too_large
