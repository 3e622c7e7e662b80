"""From the log to the engine: blocks in order, each under the settings in force at its step."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from app.shop import Shop
from engine.batch import Batch
from engine.change import change_plan
from engine.engine import Engine
from engine.partition import IMPORT, LIVE, Partition, RawEffects
from engine.plan import Plan, build, settings_hash
from streams.control import CUTS, SETTINGS
from streams.feed import batch_of
from streams.log.block import CONTROL, Block
from streams.log.log import Log
from triggers.schedule import last_due

Effects = Callable[[int, Partition, RawEffects], None]


def new_engine(shop: Shop, plan: Plan, partitions: int, effects: Effects, apart: bool = False) -> Engine:
    """Return an empty engine whose effects go to ``effects(partition number, partition, raw)``.

    apart: see `engine.engine.Engine`.
    """

    def next_due(trigger: int, clock: int, last: int) -> int:
        schedule = plan.trigger.declared[plan.trigger.names[trigger]].when.schedule
        assert schedule is not None
        return last_due(schedule, plan.zone, clock, last)

    engine = Engine(
        plan, partitions, lambda number, raw: effects(number, engine.partitions[number], raw), next_due, apart
    )
    return engine


class Replay:
    """An engine that follows a log, from its beginning or from a snapshot.

    ``version``: the settings in force, as canonical JSON; "" before the first settings record. ``effects``
    get what comes out of steps the replay has not been over before. ``pause`` is called now and then while a
    long stretch is followed, whenever no step is half done: to commit, or to stop by raising. apart: cut
    points are records of the log (semantics R5); by default if the log has any.
    """

    def __init__(self, log: Log, shop: Shop, effects: Effects, apart: bool | None = None) -> None:
        self.log = log
        self.effects = effects
        self.version = canonical(shop)
        self.shop = shop
        self.apart = holds_cuts(log) if apart is None else apart
        self.engine = new_engine(shop, build(shop), log.partitions, self._emit, self.apart)
        self.records = 0
        self.pause: Callable[[], None] = lambda: None
        self._settings: list[list[tuple[str, int, str, int]]] = [[] for _ in range(log.partitions)]
        self._looked = [log.first_step] * log.partitions  # steps of the log looked through for settings

    def _emit(self, number: int, partition: Partition, raw: RawEffects) -> None:
        self.effects(number, partition, raw)

    def follow(
        self, until: int | None = None, progress: Callable[[int], None] | None = None,
        ends: Sequence[int] | None = None,
    ) -> None:  # fmt: skip
        """Apply everything that the log has behind the engine, or only up to the end of minute ``until``.

        ends: for each partition the step to stop before; all must be of the same minute.
        """
        for version, minute, mode, steps in self._versions():
            if any(step < done for step, done in zip(steps, self.engine.steps, strict=True)):
                continue
            limits = steps if ends is None else [min(pair) for pair in zip(steps, ends, strict=True)]
            self._follow_to(limits, until, progress)
            if self.engine.steps != steps or (until is not None and minute > until):
                return
            if version != self.version:
                self._change(version, minute, mode)
        self._follow_to(None if ends is None else [*ends], until, progress)

    def suppose(self, shop: Shop) -> None:
        """Let other settings be in force from the clock on, as if a live record had just said so."""
        self._change(canonical(shop), self.engine.clock, "live")

    def _versions(self) -> list[tuple[str, int, str, list[int]]]:
        """Return (declarations, minute, mode, step in each partition) of every settings record of the log."""
        for p, end in enumerate(self.log.next_steps()):
            self._settings[p] += _settings_of(self.log, p, self._looked[p], end)
            self._looked[p] = end
        return [
            (same[0][0], same[0][1], same[0][2], [one[3] for one in same])
            for same in zip(*self._settings, strict=True)
        ]

    def _follow_to(
        self, limits: list[int] | None, until: int | None, progress: Callable[[int], None] | None
    ) -> None:
        """Apply each partition's records below its limit, all partitions in step."""
        ends: list[int | None] = [*limits] if limits else [None] * self.log.partitions
        readers = [
            self.log.blocks(p, step, end)
            for p, (step, end) in enumerate(zip(self.engine.steps, ends, strict=True))
        ]
        reached: list[int | None] = [0] * len(readers)  # last minute fed; None: nothing more
        while any(minute is not None for minute in reached):
            p = min((m, i) for i, m in enumerate(reached) if m is not None)[1]
            block = next(readers[p], None)
            if block is None or (until is not None and block.first_minute > until):
                reached[p] = None
            else:
                reached[p] = block.last_minute
                self._feed(p, block, ends[p], until)
                if progress:
                    progress(self.records)
            open_ends = [m for m in reached if m is not None]
            self.engine.run(min(open_ends) - 1 if open_ends else until)
            self.pause()

    def _feed(self, p: int, block: Block, end: int | None, until: int | None) -> None:
        """Feed a block's records behind the engine, before ``end`` and up to minute ``until``."""
        first = self.engine.steps[p] - block.first_step
        batch = self._batch(p, block)
        last = len(batch) if end is None else min(len(batch), end - block.first_step)
        if until is not None:
            last = min(last, int((batch.minute <= until).sum()))
        self._feed_part(p, block, batch, first, last)

    def _feed_part(self, p: int, block: Block, batch: Batch, first: int, last: int) -> None:
        if last > first:
            self.engine.feed(p, batch.slice(first, last), block.first_step + first)
            self.records += last - first

    def _batch(self, p: int, block: Block) -> Batch:
        partition = self.engine.partitions[p]
        plan = partition.plan
        number = partial(control_number, plan)
        return batch_of(block, plan.projection, partition.encode_texts, number,
                        plan.dimensions["row_values"])  # fmt: skip

    def _change(self, version: str, minute: int, mode: str) -> None:
        """New settings are in force from this step (G4)."""
        self.shop, self.version = Shop.model_validate_json(version), version
        if self.engine.clock >= 0:
            self.engine.advance(max(minute, self.engine.clock), LIVE if mode == "live" else IMPORT)
        old, was = self.engine, self.engine.partitions[0].mode
        fresh = Replay(self.log, self.shop, lambda *_: None, self.apart)
        fresh.follow_silently(old.steps, old.clock)
        self.engine = fresh.engine
        self.engine.sink = lambda number, raw: self._emit(number, self.engine.partitions[number], raw)
        self.engine.digests = old.digests
        if self.engine.apart is not None and old.apart is not None:
            self.engine.apart.report = old.apart.report
        if old.clock >= 0:
            change_plan(old, self.engine, mode == "live" or was == LIVE)

    def follow_silently(self, steps: list[int], clock: int) -> None:
        """Replay the records before ``steps`` under these settings alone, as an import, up to ``clock``.

        Cuts records are passed over: what is in force is taken over from the former engine.
        """
        for p, last in enumerate(steps):
            for block in self.log.blocks(p, 0, last):
                batch = replace(self._batch(p, block), cuts={})
                batch.mode[:] = 0
                self._feed_part(p, block, batch, 0, min(len(batch), last - block.first_step))
        self.engine.run()
        if clock >= 0:
            self.engine.advance(clock, IMPORT)


def holds_cuts(log: Log) -> bool:
    """Whether a log has cut points among its records."""
    return any(True for p in range(log.partitions) for _ in log.blocks(p, holding=f"!{CUTS}"))


def control_number(plan: Plan, kind: str, said: Mapping[str, Any]) -> int:
    """Return the plan's number of what a control record names (tag, consent, switch); -1: it has none.

    Of a receipt it is what tells its trigger from others in slots.
    """
    if kind == "manual":
        return plan.tag.number.get(said["tag"], -1)
    if kind == "switch":
        return plan.switches.get(said["what"], -1)
    if kind == "receipt":
        return plan.guards.mark(said["trigger"])
    name = f"{said['channel']}/{said['purpose']}"
    return plan.trigger.consents.index(name) + 1 if name in plan.trigger.consents else -1


def canonical(shop: Shop) -> str:
    """Return a shop's declarations as canonical JSON: what a settings record holds."""
    return json.dumps(
        shop.model_dump(mode="json", by_alias=True), ensure_ascii=False, sort_keys=True, separators=(",", ":")
    )


def settings_body(shop: Shop) -> str:
    """Return the body of a settings record."""
    text = canonical(shop)
    return json.dumps({"shop": text, "hash": settings_hash(text)}, ensure_ascii=False)


def last_version(log: Log) -> str | None:
    """Return the declarations in force at the log's end, as canonical JSON; None before the first."""
    found = _settings_of(log, 0, 0, log.next_step(0))
    return found[-1][0] if found else None


def settings_of_log(log: Log) -> list[tuple[str, int]]:
    """Return (declarations as canonical JSON, minute) of each settings record of a log, in order."""
    return [(version, minute) for version, minute, _, _ in _settings_of(log, 0, 0, log.next_step(0))]


def first_version(log: Log) -> str | None:
    """Return the first declarations that the log has, as canonical JSON; None before them.

    In a cluster rows may stand before them: whoever replays those does so under these, whatever is in force
    by then.
    """
    found = _settings_of(log, 0, 0, log.next_step(0))
    return found[0][0] if found else None


def version_before(log: Log, p: int, step: int) -> str | None:
    """Return the declarations in force in a partition just before a step, or its first ones where none are
    yet; None where it has none at all."""
    found = _settings_of(log, p, 0, step)
    return found[-1][0] if found else first_version(log)


def _settings_of(log: Log, p: int, first: int, end: int) -> list[tuple[str, int, str, int]]:
    """Return (declarations, minute, mode, step) of a partition's settings records of steps [first, end)."""
    found = []
    for block in log.blocks(p, first, end, holding=f"!{SETTINGS}"):
        table = block.tables([CONTROL])[CONTROL]
        columns = (table[name].to_pylist() for name in ("ordinal", "minute", "kind", "body"))
        for at, minute, kind, body in zip(*columns, strict=True):
            if kind == SETTINGS and first <= block.first_step + at < end:
                found.append((json.loads(body)["shop"], minute, block.mode, block.first_step + at))
    return found
