"""A partition apart from the others of its shop: its cut points come as records of its log (semantics R5).

Populations are read only as far as somebody needs them: for recency cuts that move with the clock, and for
the reports from which somebody else makes the records.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from engine.cuts import Cuts, shown
from engine.in_force import freeze, put_in_force
from engine.partition import Partition
from engine.population import ALL, Population
from rfm.record import CutsRecord
from rfm.report import Report, Runs
from rfm.scores import CUTS, DAY, FREQUENCY, MONETARY, RECENCY, STANDS

# what is in force of a model, and how many places each takes
HELD = {
    "cuts_known": 1, "cuts_of": 1, "cuts_minute": 1, "cut_r": CUTS, "cut_r_low": CUTS, "cut_r_high": CUTS,
    "cut_r_part": CUTS, "cut_f": CUTS, "cut_m": CUTS, "days_total": 1, "days_size": 1, "days_residue": DAY,
}  # fmt: skip
ReportSink = Callable[[int, int, Mapping[str, Report]], None]


class Apart:
    """The partitions of an engine that takes no cut points from its own population.

    ``report(partition, minute, models)`` is called, if set, at each opening behind T3 (5), and at the last of
    several minutes that change nothing: name of each model whose cut points are records to its population. A
    model's report is the same object as long as nothing of it has changed.
    ``cuts``: by model those of the newest C that is in force anywhere here.
    """

    def __init__(self, partitions: Sequence[Partition], cuts: dict[str, Cuts]) -> None:
        self.partitions = partitions
        self.cuts = cuts
        self.report: ReportSink | None = None
        self._own = [[_Own(one, model) for model in range(len(one.plan.models))] for one in partitions]

    def restore(self) -> None:
        """After a snapshot: what a report needs is read when it is asked for."""
        for own in self._own:
            for population in own:
                population.unread = population.untold = ALL

    def open(self, number: int, minute: int, record: CutsRecord | None) -> None:
        """T3 (5) of a partition: its population as it is now, and the record that opens the minute."""
        for population in self._own[number]:
            population.open()
        if record is not None:
            self.put_in_force(number, record)
        self.tell(number, minute)

    def tell(self, number: int, minute: int) -> None:
        """Report a partition's populations, if anybody asks."""
        if self.report is not None:
            told = {o.declared.name: o.report() for o in self._own[number] if o.declared.method != "fixed"}
            self.report(number, minute, told)

    def put_in_force(self, number: int, record: CutsRecord) -> bool:
        """Put a record in force: the first for a model's version and C, and C never goes back. Return whether
        there was anything of that kind in it."""
        partition = self.partitions[number]
        memory, any_new = partition.memory, False
        for model, plan in enumerate(partition.plan.models):
            numbers = record.of(plan.model)
            if numbers is None or record.minute <= int(memory["cuts_of"][model]):
                continue
            any_new, memory["cuts_of"][model] = True, record.minute
            if numbers.size:
                put_in_force(partition, model, numbers)
                self._show(shown(plan.model, record.minute, numbers))
            elif not memory["cuts_minute"][model]:
                freeze(partition, model, record.minute - 1)
        return any_new

    def take_over(self, number: int, old: Partition, cuts: Mapping[str, Cuts]) -> None:
        """New settings: a model that is unchanged keeps what is in force; a changed one has nothing until a
        record comes (G4).

        old: the partition under the former settings, at the same clock; cuts: what is shown of those.
        """
        partition = self.partitions[number]
        before = {(plan.model.name, plan.model.version): m for m, plan in enumerate(old.plan.models)}
        for model, plan in enumerate(partition.plan.models):
            was = before.get((plan.model.name, plan.model.version))
            if was is None or plan.model.method == "fixed":
                continue
            for name, width in HELD.items():
                held = old.memory[name][was * width : (was + 1) * width]
                partition.memory[name][model * width : (model + 1) * width] = held
            if plan.model.name in cuts:
                self._show(cuts[plan.model.name])
        partition.settle()

    def _show(self, cuts: Cuts) -> None:
        held = self.cuts.get(cuts.model)
        if held is None or held.minute < cuts.minute:
            self.cuts[cuts.model] = cuts


class _Own:
    """One model's population of one partition. ``unread``, ``untold``: bits of the measures that are to be
    read, and to be reported, anew."""

    def __init__(self, partition: Partition, model: int) -> None:
        self.population = Population([partition], model)
        self.declared = self.population.declared
        self.unread = self.untold = 0
        self._moves = int(partition.plan.columns["model_reach"][model]) != STANDS
        nobody = Runs.of(self.population.frequency)
        self._report = Report(nobody, nobody, nobody)

    def open(self) -> None:
        """Note what has changed; where recency cuts move with the clock, sort the last orders anew."""
        changed = self.population.take_changed()
        self.unread |= changed
        self.untold |= changed
        if self._moves and self.unread & RECENCY:
            self._read(RECENCY)
            self.population.keep_recent()

    def report(self) -> Report:
        """Return the population as it is."""
        self._read(self.unread)
        if self.untold:
            values, told = self.population, self._report
            self._report = Report(
                Runs.of(values.recent[0] >> 31) if self.untold & RECENCY else told.recent,
                Runs.of(values.frequency) if self.untold & FREQUENCY else told.frequency,
                Runs.of(values.monetary) if self.untold & MONETARY else told.monetary,
            )
            self.untold = 0
        return self._report

    def _read(self, bits: int) -> None:
        if bits:
            self.population.read(bits)
            self.unread &= ~bits
