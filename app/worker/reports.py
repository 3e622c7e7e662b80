"""What partitions report of their populations, and the cut points made of all of them (semantics R5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from app.shop import Shop
from rfm.merge import merged
from rfm.record import said
from rfm.report import Report, decoded
from streams.control import CUTS, Control, canonical

KEPT_MINUTES = 10  # a partition that is further behind delays the cut points; it catches up to a later minute


class Told(msgspec.Struct, array_like=True):
    """One partition's report of the opening of a minute. models: name to version and encoded population."""

    partition: int
    minute: int
    models: dict[str, tuple[str, bytes]]


def encoded(partition: int, minute: int, models: Mapping[str, tuple[str, Report]]) -> bytes:
    """Return a report as a message."""
    packed = {name: (version, report.encoded) for name, (version, report) in models.items()}
    return msgspec.msgpack.encode(Told(partition, minute, packed))


@dataclass(frozen=True)
class Made:
    """The record of a minute, and its C."""

    minute: int
    record: Control


class Reducer:
    """Collects reports until all partitions have told of a minute. It may be begun anew at any time: the next
    minute is complete again."""

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions
        self._told: dict[int, dict[int, Told]] = {}
        self.made = -1  # the newest C

    def take(self, message: bytes, shop: Shop) -> Made | None:
        """Take a report; return the cuts record of its minute, if it was the last that was missing.

        shop: the settings in force; a model that partitions report in other versions is left out.
        """
        told = msgspec.msgpack.decode(message, type=Told)
        if told.minute <= self.made:
            return None
        here = self._told.setdefault(told.minute, {})
        here[told.partition] = told
        for old in sorted(self._told)[:-KEPT_MINUTES]:
            del self._told[old]
        if len(here) < self._partitions:
            return None
        self.made = told.minute
        self._told = {minute: rest for minute, rest in self._told.items() if minute > told.minute}
        models = []
        for model in shop.rfm:
            reports = [one.models[model.name] for one in here.values() if model.name in one.models]
            if len(reports) == self._partitions and {version for version, _ in reports} == {model.version}:
                models.append((model, merged(model, [decoded(packed) for _, packed in reports])))
        if not models:
            return None
        return Made(told.minute, Control(CUTS, None, canonical(said(told.minute, models))))
