"""Rows of several sources in their order of arrival: checked by their contracts, then taken into the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from streams.change import INSERT, NO_POSITION, READ, UPDATE, UPSERT, Changes, concat
from streams.completing import NOTHING, complete_part
from streams.contract.check import Checked, check_rows
from streams.contract.columns import file_columns, known_to
from streams.contract.deletes import check_deletes
from streams.contract.future import not_too_far
from streams.contract.numbers import ValueProblem
from streams.contract.source import Source
from streams.decode.chunk import TEXT
from streams.errors import InputError
from streams.intake import Taking, concealed, take_in
from streams.log.lanes import Lanes
from streams.log.log import Log
from streams.report import ImportReport

if TYPE_CHECKING:
    from app.shop import Shop

Int64s = NDArray[np.int64]
DELETE = "delete"
OPERATIONS = {"upsert": UPSERT, "insert": INSERT, "update": UPDATE, "read": READ}


@dataclass(frozen=True, slots=True)
class Row:
    """One change of a row as text, before its contract.

    values: by the headings of the source's file (of a delete the key's); position: where the change stands
    in its source, epoch and offset with it (semantics W2; `NO_POSITION` where it does not say); lacking:
    headings that the change does not carry, whose values stay as the row's last record has them.
    """

    source: str
    op: str
    values: Mapping[str, str | None]
    epoch: int = NO_POSITION
    position: int = NO_POSITION
    offset: int = NO_POSITION
    lacking: frozenset[str] = NOTHING


def take_rows(
    log: Log, shop: Shop, rows: Sequence[Row | None], minute: int, mode: str, report: ImportReport,
    scanned: Mapping[str, tuple[Changes, Int64s]] = MappingProxyType({}),
) -> dict[int, ValueProblem]:  # fmt: skip
    """Take rows in, inside the caller's transaction; return what the contracts refuse, by the row's place.

    Contract, identity and blocks are those of an import, and unchanged rows without a position are left out;
    but several changes of one key are all kept, in their order. A row dated more than the source's
    ``max_future`` after the minute is refused (semantics W6). Raises InputError for an unknown operation or
    heading. scanned: by source, changes that have passed their contract already, and their places among the
    rows, where ``rows`` has None.
    """
    sources = known_to(shop.sources, shop.tags)
    refused: dict[int, ValueProblem] = {}
    taken: dict[str, tuple[Changes, Int64s]] = {}
    for name, own_rows in by_source(rows).items():
        places = list(own_rows)
        found = checked(sources, name, list(own_rows.values()), minute, ZoneInfo(shop.settings.zone))
        own = np.array(places, dtype=np.int64)
        refused |= {places[row]: fault for row, fault in found.faults}
        report.without_customer += found.without_customer
        report.skipped_times += found.skipped_times
        report.doubled_times += found.doubled_times
        taken[name] = (found.changes, own[found.rows])
    report.rows += len(rows)
    how = Taking(sources, shop.settings.identity_priority, mode, minute)
    lacking = {at: row.lacking for at, row in enumerate(rows) if row is not None and row.lacking}
    for part in _runs(log.lanes, concealed(log, sources, _merged(taken, scanned))):
        if lacking:
            part, unknown = complete_part(log, sources, part, lacking, report)
            refused |= unknown
        take_in(log, how, part, report)
    return refused


def by_source(rows: Sequence[Row | None]) -> dict[str, dict[int, Row]]:
    """Return each source's rows by their places."""
    found: dict[str, dict[int, Row]] = {}
    for at, row in enumerate(rows):
        if row is not None:
            found.setdefault(row.source, {})[at] = row
    return found


def _merged(
    taken: Mapping[str, tuple[Changes, Int64s]], scanned: Mapping[str, tuple[Changes, Int64s]]
) -> dict[str, tuple[Changes, Int64s]]:
    """Return each source's changes of both, in the order of their places."""
    merged = {**taken}
    for name, (changes, own) in scanned.items():
        if name in taken:
            places = np.concatenate([taken[name][1], own])
            order = np.argsort(places, kind="stable")
            merged[name] = (concat([taken[name][0], changes]).take(order), places[order])
        else:
            merged[name] = (changes, own)
    return merged


def checked(
    sources: Mapping[str, Source], name: str, rows: Sequence[Row], minute: int, zone: ZoneInfo
) -> Checked:
    """Check one source's rows by its contract; ``rows`` of the result are in their order.

    sources: all of the shop's (`known_to`); minute: the present one; zone: the shop's. Raises InputError for
    an unknown operation.
    """
    source = sources[name]
    groups: dict[tuple[bool, frozenset[str]], list[int]] = {}
    for at, row in enumerate(rows):
        groups.setdefault((row.op == DELETE, row.lacking), []).append(at)
    parts: list[Checked] = []
    for (is_delete, lacking), chosen in groups.items():
        places = np.array(chosen, dtype=np.int64)
        table = _table(source, [rows[at] for at in chosen])
        if is_delete:
            checked = check_deletes(source, table, minute)
        else:
            checked = not_too_far(check_rows(source, sources, table, zone, lacking), source, minute)
        faults = [(int(places[row]), fault) for row, fault in checked.faults]
        _say_where(checked.changes, [rows[at] for at in places[checked.rows].tolist()])
        parts.append(replace(checked, rows=places[checked.rows], faults=faults))
    if len(parts) == 1:
        return parts[0]
    # Deletes and rows that lack columns were read apart: bring all into their order, by which keys count.
    own = np.concatenate([part.rows for part in parts])
    order = np.argsort(own, kind="stable")
    return Checked(
        concat([part.changes for part in parts]).take(order), own[order],
        [fault for part in parts for fault in part.faults],
        sum(part.without_customer for part in parts), sum(part.skipped_times for part in parts),
        sum(part.doubled_times for part in parts),
    )  # fmt: skip


def _say_where(changes: Changes, rows: Sequence[Row]) -> None:
    """Enter each row's operation and position."""
    for at, row in enumerate(rows):
        if row.op != DELETE:
            changes.op[at] = _operation(row)
        changes.epoch[at], changes.position[at], changes.offset[at] = row.epoch, row.position, row.offset


def _operation(row: Row) -> int:
    if row.op not in OPERATIONS:
        known = ", ".join([*OPERATIONS, DELETE])
        raise InputError(row.source, f"'{row.op}' is no operation", f"write one of {known}")
    return OPERATIONS[row.op]


def _runs(
    lanes: Lanes, taken: Mapping[str, tuple[Changes, Int64s]]
) -> list[dict[str, tuple[Changes, Int64s]]]:
    """Cut the rows where a key comes again: each of its changes is a step of its own (semantics L1).

    Each lane is cut by itself, for between lanes no order is given: the first run has the first stretch of
    each, and so on.
    """
    if not taken:
        return []
    numbered = list(enumerate(taken.values()))
    source = np.concatenate([np.full(len(own), number) for number, (_, own) in numbered])
    place = np.concatenate([own for _, (_, own) in numbered])
    high = np.concatenate([changes.key_high for _, (changes, _) in numbered])
    low = np.concatenate([changes.key_low for _, (changes, _) in numbered])
    again = _come_again(source, high, low)
    if not again.any():
        return [{name: part for name, part in taken.items() if len(part[1])}]
    lane = lanes.of_rows(place)
    runs = np.zeros(len(place), dtype=np.int64)
    for at, found in _cuts(lane[again], place[again], (source[again], high[again], low[again])).items():
        mine = np.flatnonzero(lane == at)
        starts, numbers = np.array(found, dtype=np.int64).T
        runs[mine] = np.append(0, numbers)[np.searchsorted(starts, place[mine], side="right")]
    return [_of_run(taken, source, runs, run) for run in range(int(runs.max()) + 1)]


def _cuts(lane: Int64s, place: Int64s, keys: tuple[Int64s, ...]) -> dict[int, list[tuple[int, int]]]:
    """Return by lane (place, run): from this place on its rows are of this run.

    lane, place: of each row whose key comes more than once; keys: the columns of its key, its source first.
    """
    order = np.argsort(place, kind="stable")
    present: dict[int, int] = {}  # by lane, the run at which it is
    last: dict[tuple[int, ...], int] = {}  # by key, its last run
    cuts: dict[int, list[tuple[int, int]]] = {}
    columns = (column[order].tolist() for column in (lane, place, *keys))
    for at, where, *key in zip(*columns, strict=True):
        run = max(present.get(at, 0), last.get(tuple(key), -1) + 1)
        if run > present.get(at, 0):
            present[at] = run
            cuts.setdefault(at, []).append((where, run))
        last[tuple(key)] = run
    return cuts


def _come_again(source: Int64s, high: Int64s, low: Int64s) -> NDArray[np.bool_]:
    """Return the mask of rows whose key is not the only one of its kind."""
    order = np.lexsort((low, high, source))
    same = np.ones(max(len(order) - 1, 0), dtype=bool)
    for column in (source, high, low):
        same &= column[order][1:] == column[order][:-1]
    found = np.zeros(len(order), dtype=bool)
    found[order[1:]] |= same
    found[order[:-1]] |= same
    return found


def _of_run(
    taken: Mapping[str, tuple[Changes, Int64s]], source: Int64s, runs: Int64s, run: int
) -> dict[str, tuple[Changes, Int64s]]:
    """Return each source's rows of a run."""
    part = {}
    for number, (name, (changes, own)) in enumerate(taken.items()):
        mask = runs[source == number] == run
        if mask.any():
            part[name] = (changes.take(mask), own[mask])
    return part


def _table(source: Source, rows: Sequence[Row]) -> pa.Table:
    wanted = file_columns(source)
    given = list(dict.fromkeys(name for row in rows for name in row.values))
    names = list(dict.fromkeys([*wanted, *given]))
    columns = [pa.array([row.values.get(name) or None for row in rows], TEXT) for name in names]
    return pa.Table.from_arrays(columns, names=names)
