"""Completes rows that lack columns right before they are taken in: what came before them is in the log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from streams.change import Changes, concat
from streams.contract.numbers import ValueProblem
from streams.contract.partial import complete
from streams.contract.source import Source
from streams.identity.directory import Known, look_up
from streams.identity.last_records import last_records
from streams.identity.positions import is_outlived
from streams.log.log import Log
from streams.personal.conceal import content_of
from streams.report import ImportReport

Int64s = NDArray[np.int64]
Part = Mapping[str, tuple[Changes, Int64s]]
NOTHING: frozenset[str] = frozenset()


def complete_part(
    log: Log, sources: Mapping[str, Source], part: Part, lacking: Mapping[int, frozenset[str]],
    report: ImportReport,
) -> tuple[dict[str, tuple[Changes, Int64s]], dict[int, ValueProblem]]:  # fmt: skip
    """Return rows with the values of their last records for what they lack, and what cannot be completed.

    part: by source the rows, no key twice, and their places, int64; lacking: by place the headings that the
    row does not carry. Faults are by place; rows that are older than their end are counted in the report.
    """
    completed: dict[str, tuple[Changes, Int64s]] = {}
    faults: dict[int, ValueProblem] = {}
    for name, (changes, own) in part.items():
        rows: dict[frozenset[str], list[int]] = {}
        for at, place in enumerate(own.tolist()):
            rows.setdefault(lacking.get(place, NOTHING), []).append(at)
        parts: list[Changes] = []
        places: list[Int64s] = []
        for headings, chosen in rows.items():
            there, mine = changes.take(np.array(chosen)), own[chosen]
            if headings:
                there, mine, found = _complete(log, sources, there, mine, headings, report)
                faults |= found
            parts.append(there)
            places.append(mine)
        order = np.argsort(np.concatenate(places))
        if len(order):
            completed[name] = (concat(parts).take(order), np.concatenate(places)[order])
    return completed, faults


def _complete(
    log: Log, sources: Mapping[str, Source], changes: Changes, own: Int64s, lacking: frozenset[str],
    report: ImportReport,
) -> tuple[Changes, Int64s, dict[int, ValueProblem]]:  # fmt: skip
    source = sources[changes.source]
    known = look_up(log, source.name, changes.key_high, changes.key_low)
    asked = ~is_outlived(log, changes, own, known)
    report.older += int((~asked).sum())
    changes, own = changes.take(asked), own[asked]
    known = Known(*(getattr(known, name)[asked] for name in Known.__slots__))
    last = last_records(log, source, changes, known)
    whole, found = complete(source, sources, changes, lacking, last)
    whole = replace(whole, content=content_of(log.vault, source, whole))
    faulty = [row for row, _ in found]
    return whole, np.delete(own, faulty), {int(own[row]): fault for row, fault in found}
