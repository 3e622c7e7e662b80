"""A window's records as blocks of other partitions: each customer's in the same order, at the same minutes.

What is nobody's (settings, epochs, freshness, cut points) goes to every partition. Ticks are written anew,
such that no partition's clock jumps where the former log's did not (semantics T2).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from streams.control import RESUME, SETTINGS, TICK, Control
from streams.identity.partition import id_pairs, partitions_of
from streams.live import LONGEST_JUMP
from streams.log.block import CONTROL, Block
from streams.log.write import Stretch, append_stretch
from streams.migrate.former import Directory, Window
from streams.shared.delta import STEP, Told
from streams.shared.entries import pack
from streams.tables import control_table

Int64s = NDArray[np.int64]
RECORDS = 1000  # of a block: rows may be wide, and a message has 12 MB at most
_ADDED = -1  # code of a record that the former log has not


@dataclass
class Clocks:
    """How far time has come: in each partition, and in the former log; live: the mode of all of them."""

    partitions: list[int]
    former: int = -1
    live: bool = False


@dataclass
class Gathered:
    """Takes what a log would take."""

    partitions: int
    blocks: list[tuple[Block, list[str]]] = field(default_factory=list)
    steps: dict[int, int] = field(default_factory=dict)

    def next_step(self, partition: int) -> int:
        """Return the step of the partition's next record, counted from this window's first."""
        return self.steps.get(partition, 0)

    def append(self, block: Block, holds: list[str]) -> None:
        """Take a block."""
        self.blocks.append((block, holds))
        self.steps[block.partition] = block.first_step + block.count


@dataclass(frozen=True)
class Regrouped:
    """Blocks, what each holds, and what it says of its records; records: of the former log."""

    blocks: list[tuple[Block, list[str], Told]]
    records: int


class Regroup:
    """Regroups the windows of one log, one after the other.

    partitions: how many there are to be; settings: returns the body of a settings record for so many.
    """

    def __init__(
        self, directory: Directory, partitions: int, settings: Callable[[str], str], clocks: Clocks
    ) -> None:
        self.clocks = clocks
        self._directory, self._partitions, self._settings = directory, partitions, settings

    def take(self, one: Window, is_last: bool) -> Regrouped:
        """Return a window's blocks; behind the last window all partitions stand at the same minute."""
        rows = self._rows(one, _resumes(one), self._places(one), is_last)
        sink = Gathered(self._partitions)
        codes: list[Int64s] = []
        steps: list[Int64s] = []
        tables = {name: _with_ticks(one.tables[name], name, self._settings) for name in one.names}
        names = [*one.names] if CONTROL in one.names else [*one.names, CONTROL]
        if CONTROL not in tables:
            tables[CONTROL] = _with_ticks(None, CONTROL, self._settings)
        for start, end in _runs(rows.live):
            cut = slice(start, end)
            stretch = Stretch(
                "live" if rows.live[start] else "import", rows.partition[cut], rows.minute[cut],
                *_taken(one, rows.record[cut], names, tables),
            )  # fmt: skip
            steps.append(append_stretch(sink, stretch, most=RECORDS))
            codes.append(np.where(rows.record[cut] < 0, _ADDED, one.code[rows.record[cut]]))
        says = self._says(sink, np.concatenate(codes), rows.partition, np.concatenate(steps))
        blocks = [(block, holds, said) for (block, holds), said in zip(sink.blocks, says, strict=True)]
        return Regrouped(blocks, len(one.code))

    def _places(self, one: Window) -> Int64s:
        """Return each record's partition: -1 for everywhere, -2 for nowhere."""
        found = np.full(len(one.code), -2, dtype=np.int64)
        for number, name in enumerate(one.names):
            mine = np.flatnonzero(one.table == number)
            customers = one.tables[name]["customer"].take(pa.array(one.place[mine])).to_pylist()
            whose = [customer or bytes(16) for customer in customers]
            found[mine] = partitions_of(*id_pairs(whose), self._partitions)
            found[mine[[customer is None for customer in customers]]] = -2
        found[one.everywhere] = -1
        return found

    def _rows(self, one: Window, resumes: set[int], partition: Int64s, is_last: bool) -> _Rows:
        made, clocks, everybody = _Rows.begin(), self.clocks, range(self._partitions)
        for at in range(len(one.code)):
            minute, live, where = int(one.minute[at]), bool(one.is_live[at]), int(partition[at])
            if live != clocks.live and clocks.former >= 0:
                made.change(clocks, everybody, minute, live)
            if at in resumes:
                if minute <= clocks.former:
                    continue  # another partition did not stop, or has come back before
                made.tick_to(clocks, everybody, clocks.former, live=True)
            elif live:
                here = [where] if where >= 0 else everybody if where == -1 else []
                made.tick_to(clocks, here, minute - (0 if one.amid[at] else LONGEST_JUMP), live=True)
            for part in [where] if where >= 0 else everybody if where == -1 else ():
                made.add(clocks, at, part, minute, live)
            clocks.former, clocks.live = max(clocks.former, minute), live
        if is_last:
            made.tick_to(clocks, everybody, clocks.former, clocks.live)
        return made.done()

    def _says(self, sink: Gathered, codes: Int64s, partition: Int64s, steps: Int64s) -> list[Told]:
        """Return what each block says: the directory's entries of those of its records that are the last."""
        known = self._directory
        at = np.searchsorted(known.code, codes)
        there = (codes >= 0) & (at < len(known.code))
        there[there] = known.code[at[there]] == codes[there]
        here, entries = np.flatnonzero(there), at[there]
        says = []
        for block, _ in sink.blocks:
            ordinal = steps[here] - block.first_step
            mine = (partition[here] == block.partition) & (ordinal >= 0) & (ordinal < block.count)
            rows = known.rows[entries[mine]]
            rows[:, STEP] = ordinal[mine]
            chosen = entries[mine].tolist()
            others = [
                (known.names[int(known.source[place])], known.keys[place], entry)
                for place, entry in zip(chosen, pack(rows), strict=True)
            ]
            says.append(Told(others=others))
        return says


@dataclass
class _Rows:
    """Records in their order; record: number in the window, or -1 for a tick."""

    record: Int64s
    partition: Int64s
    minute: Int64s
    live: NDArray[np.bool_]
    _listed: list[tuple[int, int, int, int]] = field(default_factory=list)

    @staticmethod
    def begin() -> _Rows:
        nothing = np.zeros(0, dtype=np.int64)
        return _Rows(nothing, nothing, nothing, nothing.astype(bool))

    def add(self, clocks: Clocks, record: int, partition: int, minute: int, live: bool) -> None:
        self._listed.append((record, partition, minute, int(live)))
        clocks.partitions[partition] = max(clocks.partitions[partition], minute)

    def change(self, clocks: Clocks, partitions: range, minute: int, live: bool) -> None:
        """Let the mode change in all partitions at once: what lies before a first live minute counts as
        imported (semantics T5)."""
        self.tick_to(clocks, partitions, clocks.former, clocks.live)
        for part in partitions:
            self.add(clocks, -1, part, max(minute, clocks.former), live)
        clocks.former, clocks.live = max(minute, clocks.former), live

    def tick_to(self, clocks: Clocks, partitions: range | list[int], minute: int, live: bool) -> None:
        """Let partitions come to a minute at least, in live mode by no jump that is too long."""
        for part in partitions:
            while clocks.partitions[part] < minute:
                clock = clocks.partitions[part]
                jump = LONGEST_JUMP if live and clock >= 0 else minute - clock
                self.add(clocks, -1, part, min(minute, clock + jump), live)

    def done(self) -> _Rows:
        table = np.array(self._listed, dtype=np.int64).reshape(-1, 4)
        return _Rows(table[:, 0], table[:, 1], table[:, 2], table[:, 3] == 1)


def _resumes(one: Window) -> set[int]:
    """Return the numbers of the records that say that the process was stopped."""
    if CONTROL not in one.names:
        return set()
    mine = np.flatnonzero(one.table == one.names.index(CONTROL))
    kinds = one.tables[CONTROL]["kind"].take(pa.array(one.place[mine])).to_pylist()
    return {at for at, kind in zip(mine.tolist(), kinds, strict=True) if kind == RESUME}


def _with_ticks(table: pa.Table | None, name: str, settings: Callable[[str], str]) -> pa.Table:
    """Return control records with the settings' bodies for the new log, and one tick at the end."""
    if name != CONTROL:
        assert table is not None  # only control records may be none
        return table
    ticks = control_table([Control(TICK, None, "{}")])
    if table is None:
        return ticks
    kinds, bodies = table["kind"].to_pylist(), table["body"].to_pylist()
    told = [
        settings(body) if kind == SETTINGS else body for kind, body in zip(kinds, bodies, strict=True)
    ]
    place = table.column_names.index("body")
    table = table.set_column(place, table.schema.field(place), pa.array(told, pa.utf8()))
    return pa.concat_tables([table.cast(ticks.schema), ticks])


def _runs(live: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return (start, end) of stretches of one mode."""
    edges = [0, *(np.flatnonzero(np.diff(live.astype(np.int8))) + 1).tolist(), len(live)]
    return [(start, end) for start, end in pairwise(edges) if end > start]


def _taken(
    one: Window, record: Int64s, names: list[str], tables: Mapping[str, pa.Table]
) -> tuple[Int64s, list[str], dict[str, pa.Table]]:
    """Return each record's table, the names, and for each table its records in order."""
    control, is_tick = names.index(CONTROL), record < 0
    table = np.where(is_tick, control, one.table[record] if len(one.table) else control)
    place = np.where(is_tick, tables[CONTROL].num_rows - 1, one.place[record] if len(one.place) else 0)
    found = {name: tables[name].take(pa.array(place[table == number])) for number, name in enumerate(names)}
    return table, names, found


def settings_for(partitions: int, name: str, hashed: Callable[[str], str]) -> Callable[[str], str]:
    """Return what writes a settings record's body for such a shop; hashed: `settings_hash`."""

    def write(body: str) -> str:
        said = json.loads(json.loads(body)["shop"])
        said["settings"] |= {"partitions": partitions, "name": name}
        text = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return json.dumps({"shop": text, "hash": hashed(text)}, ensure_ascii=False)

    return write
