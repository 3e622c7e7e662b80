"""Imports files into the log."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from streams.change import Changes, concat
from streams.compose import write
from streams.contract.check import Checked, check_rows
from streams.contract.columns import check_source, file_columns, known_to, names_of
from streams.contract.future import not_too_far
from streams.contract.source import Source
from streams.dead.letters import put_aside
from streams.decode.chunk import Chunk, Decoder, Malformed, text_table
from streams.decode.open import open_file
from streams.errors import InputError
from streams.identity.arrivals import Arrivals, fresh
from streams.identity.references import References
from streams.log.log import Log
from streams.message import Message
from streams.personal.conceal import conceal
from streams.placing import place
from streams.reject import LINE_TEXT, Rejected, rejected_path, write_rejected
from streams.report import ImportReport, Progress, ProgressCallback

if TYPE_CHECKING:
    from app.shop import Shop

SHOWN_REJECTED = 20


def import_files(
    log: Log, shop: Shop, files: Sequence[tuple[str, Path]], progress: ProgressCallback | None = None,
    now: int | None = None,
) -> ImportReport:  # fmt: skip
    """Import files, each into a source, as one step of the log's history.

    The rows of all files go in the order of (event time, source, key), each with its own event minute as
    append minute, or the log's clock where that is later. Of several rows with one key the last counts
    (by file, then line). A row whose content the log has already is left out, so the same files twice
    change nothing. All is written in one transaction: an import that is killed leaves the log as it was
    and may be run again. Rows of all files are held in memory together: meant for a few million at a time.

    now: the present minute; rows dated more than their source's ``max_future`` after it are rejected, for the
    log's clock would jump there and never run back (semantics W6). None: no row is (simulated histories).

    Rejected rows go to FILE.rejected.csv in the log's folder. Raises InputError where a file or a
    source's declaration cannot be used at all; then nothing is written.
    """
    started = time.perf_counter()
    report = ImportReport()
    sources = known_to(shop.sources, shop.tags)
    reading = _Reading(log, sources, ZoneInfo(shop.settings.zone), report, progress, now)
    checked: dict[str, list[Changes]] = {}
    for name, path in files:
        if name not in sources:
            known = ", ".join(sorted(sources)) or "none"
            raise InputError(str(path), f"source '{name}' does not exist", f"the shop's sources are {known}")
        check_source(sources[name], sources)
        checked.setdefault(name, []).append(reading.read(name, path))
    whole = {name: concat(parts) for name, parts in checked.items()}
    arrived = concealed(
        log, sources, {name: (changes, np.arange(len(changes))) for name, changes in whole.items()}
    )
    how = Taking(sources, shop.settings.identity_priority, "import", None)
    with log.transaction():
        take_in(log, how, arrived, report, progress)
        for name, rejected in reading.rejected:
            put_aside(log, _message(name, rejected), rejected.problem, rejected.hint, log.clock() or 0)
    report.seconds = time.perf_counter() - started
    return report


@dataclass(frozen=True)
class Taking:
    """How rows are taken in. minute: the append minute of all; None: by event time (imports)."""

    sources: Mapping[str, Source]
    priority: Sequence[str]
    mode: str
    minute: int | None


def concealed(
    log: Log, sources: Mapping[str, Source], arrived: Mapping[str, tuple[Changes, np.ndarray]]
) -> dict[str, tuple[Changes, np.ndarray]]:
    """Return checked rows, each source's with their order of arrival, with references and keys concealed."""
    log.names.begin()
    return {
        name: (conceal(log.vault, log.names, sources, changes), own)
        for name, (changes, own) in arrived.items()
    }


def take_in(
    log: Log, how: Taking, arrived: Mapping[str, tuple[Changes, np.ndarray]], report: ImportReport,
    progress: ProgressCallback | None = None,
) -> None:  # fmt: skip
    """Place checked and concealed rows, each source's with their order of arrival, and write them, inside
    the caller's transaction.
    """
    total = sum(len(changes) for changes, _ in arrived.values())
    tell(progress, Progress("place", 0, 0, 0))
    arriving: dict[str, Arrivals] = {}
    for name, (changes, own) in arrived.items():
        sifted = fresh(log, how.sources[name], changes, own)
        report.superseded += sifted.superseded
        report.unchanged += sifted.unchanged
        report.older += sifted.older
        report.unknown_deletes += sifted.unknown_deletes
        report.deleted += sifted.unparked
        arriving[name] = sifted.arrivals
    index = References(log, how.priority)
    placed = place(log, how.sources, arriving, index, by_event=how.minute is None)
    tell(progress, Progress("place", total, 0, 0))
    report.records += write(
        log, placed, how.mode, how.minute, lambda rows: tell(progress, Progress("write", rows, 0, 0))
    )
    index.save()
    report.conflicts += len(placed.resolved.conflicts)
    for arrivals in placed.arrivals:
        _count(arrivals, report)


def tell(progress: ProgressCallback | None, state: Progress) -> None:
    """Report progress to whoever wants to know."""
    if progress is not None:
        progress(state)


def _count(arrivals: Arrivals, report: ImportReport) -> None:
    came = arrivals.own >= 0
    moved, known = arrivals.moved_out & arrivals.placed, arrivals.known.alive
    stays = arrivals.placed & ~arrivals.deleted
    report.new += int((came & stays & ~known).sum())
    report.updated += int((came & stays & known & ~moved).sum())
    report.moved += int((came & moved).sum())
    report.deleted += int((came & arrivals.deleted).sum())
    report.parked += int((came & ~arrivals.placed).sum())
    report.released += int((~came & ~known & arrivals.placed).sum())
    report.dragged += int((~came & known).sum())


@dataclass
class _Reading:
    """Reads the files of an import one after the other."""

    log: Log
    sources: Mapping[str, Source]
    zone: ZoneInfo
    report: ImportReport
    progress: ProgressCallback | None
    now: int | None
    behind: int = 0  # bytes of the files before
    rejected: list[tuple[str, Rejected]] = field(default_factory=list)  # by source

    def read(self, name: str, path: Path) -> Changes:
        """Decode and check one file; write its rejected rows."""
        source, report = self.sources[name], self.report
        decoder = open_file(path, source.format, file_columns(source), names_of(source))
        table, lines, malformed = self._decode(decoder)
        checked = check_rows(source, self.sources, table, self.zone)
        if self.now is not None:
            checked = not_too_far(checked, source, self.now)
        rows = report.rows + len(lines) + len(malformed)
        tell(self.progress, Progress("check", rows, self.behind, self.behind))
        rejected = rejected_rows(str(path), checked, table, lines, malformed)
        self.rejected += [(name, one) for one in rejected]
        target = rejected_path(self.log.folder, path)
        write_rejected(target, rejected)
        report.files.append(f"{path}: {decoder.report}")
        if rejected:
            report.rejected_files.append(target)
        count_checked(report, checked, rejected, len(lines) + len(malformed))
        return checked.changes

    def _decode(self, decoder: Decoder) -> tuple[pa.Table, np.ndarray, list[Malformed]]:
        chunks: list[Chunk] = []
        rows = self.report.rows
        for chunk in decoder.chunks():
            chunks.append(chunk)
            rows += len(chunk.lines) + len(chunk.malformed)
            done, total = self.behind + chunk.done_bytes, self.behind + decoder.total_bytes
            tell(self.progress, Progress("read", rows, done, total))
        self.behind += decoder.total_bytes
        tables = [chunk.table for chunk in chunks] or [
            text_table(decoder.headings, [[]] * len(decoder.headings))
        ]
        lines = np.concatenate([np.zeros(0, dtype=np.int64), *(chunk.lines for chunk in chunks)])
        return pa.concat_tables(tables), lines, [bad for chunk in chunks for bad in chunk.malformed]


def _message(source: str, rejected: Rejected) -> Message:
    """Return a rejected row as a message, so that it can be mended and replayed like any other."""
    body = rejected.raw.get(LINE_TEXT) or json.dumps(rejected.raw, ensure_ascii=False)
    return Message(source, f"{Path(rejected.where).name}:{rejected.line}", body.encode())


def count_checked(report: ImportReport, checked: Checked, rejected: list[Rejected], rows: int) -> None:
    """Add what the contract found."""
    report.rows += rows
    report.rejected += len(rejected)
    report.first_rejected += rejected[: SHOWN_REJECTED - len(report.first_rejected)]
    report.without_customer += checked.without_customer
    report.skipped_times += checked.skipped_times
    report.doubled_times += checked.doubled_times


def rejected_rows(
    where: str, checked: Checked, table: pa.Table, lines: np.ndarray, malformed: Sequence[Malformed]
) -> list[Rejected]:
    """Return all rejected rows of a file, by line."""
    found = [Rejected(where, bad.line, bad.problem, bad.hint, {LINE_TEXT: bad.raw}) for bad in malformed]
    raws = table.take(pa.array([row for row, _ in checked.faults], pa.int64())).to_pylist()
    for (row, fault), raw in zip(checked.faults, raws, strict=True):
        found.append(Rejected(where, int(lines[row]), fault.problem, fault.hint, raw))
    return sorted(found, key=lambda rejected: rejected.line)
