"""One partition: its state, and the calls that drive its kernel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import kernel
from engine.batch import Batch
from engine.columns import COLUMNS
from engine.memory import Array, Memory
from engine.plan import Plan
from engine.room import DOMAINS
from engine.touched import CHANGED

IMPORT, LIVE, HISTORY = 0, 1, 2
BY_NAME = {c.name: c for c in COLUMNS}
TRANSITION_COLUMNS = [c.name for c in COLUMNS if c.domain == "transition"]
DECISION_COLUMNS = [c.name for c in COLUMNS if c.domain == "decision"]
WIDTHS = {c.name: c.width for c in COLUMNS}


class EngineError(Exception):
    """The engine cannot go on: what a record asks for is out of range."""


@dataclass(frozen=True)
class RawEffects:
    """Effects of one partition as columns, in order; names as in engine.state without their t_ or d_."""

    transitions: Mapping[str, Array]
    decisions: Mapping[str, Array]


def joined(parts: Sequence[RawEffects]) -> RawEffects:
    """Return several stretches of one partition's effects as one."""
    if len(parts) == 1:
        return parts[0]
    kinds = ([part.transitions for part in parts], [part.decisions for part in parts])
    return RawEffects(*({n: np.concatenate([one[n] for one in kind]) for n in kind[0]} for kind in kinds))


class Partition:
    """State of one partition under one plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.memory = Memory(plan.dimensions, plan.columns, plan.fixed)
        for name, value in plan.scalars.items():
            self.memory.set_scalar(name, value)
        self.memory.set_scalar("clock", -1)
        self.memory.set_scalar("step", -1)  # of the last record applied
        self.memory["unit_now"][:5] = plan.columns["unit_first"][:5]
        self.memory.set_scalar("failure", 0)
        for model, declared in enumerate(plan.models):
            if declared.model.method == "fixed":
                self.set_fixed_cuts(model)
        self._no_effects: dict[str, dict[str, Array]] = {}
        self.texts: list[str] = []
        self._codes: dict[str, int] = {}
        self._bound: Batch | None = None
        self.encode_texts(plan.seeds)

    @property
    def clock(self) -> int:
        """The minute at which the partition stands; -1 before its first record."""
        return self.memory.scalar("clock")

    @property
    def customers(self) -> int:
        return self.memory.scalar("customers_used")

    def begin(self, minute: int) -> None:
        """Set the clock of an empty partition to just before its first record's minute; cut points that are
        in force already go on with it."""
        if self.clock < 0:
            kernel.begin(self.memory.handle, minute)
        else:
            self.skip_to(minute)

    def encode_texts(self, texts: Iterable[str]) -> NDArray[np.int64]:
        """Return the partition's codes of texts; new texts get the next codes."""
        codes = self._codes
        known = [codes.setdefault(text, len(codes)) for text in texts]
        if len(codes) > len(self.texts):
            self.texts.extend(list(codes)[len(self.texts) :])
        return np.array(known, dtype=np.int64)

    def bind(self, batch: Batch) -> None:
        """Let the kernel read a batch; it is kept alive until the next one."""
        if batch is self._bound:
            return
        self._bound = batch
        self.memory.bind_batch(batch)

    def apply(self, first: int, count: int, first_step: int) -> int:
        """Apply records first .. count - 1 of the bound batch; return the first not applied."""
        while True:
            first = kernel.apply(self.memory.handle, first, count, first_step)
            self._check()
            lack = self.memory.scalar("lacking")
            if lack == 0 or DOMAINS[lack] in ("transition", "decision"):
                return first
            self.memory.grow(DOMAINS[lack])

    def pass_record(self, step: int, mode: int) -> None:
        """Note that a record that the kernel does not read has been applied."""
        self.memory.set_scalar("step", step)
        if mode != HISTORY:
            self.memory.set_scalar("last_live" if mode == LIVE else "last_import", self.clock)

    def effects_are_full(self) -> bool:
        """Whether the kernel waits for `take_effects`."""
        return DOMAINS[self.memory.scalar("lacking")] in ("transition", "decision")

    def set_mode(self, mode: int) -> None:
        self.memory.set_scalar("mode", mode)

    @property
    def mode(self) -> int:
        return self.memory.scalar("mode")

    def peek(self, last: int) -> int:
        """Return the first minute after the clock, up to ``last``, that may change anything; or last + 1."""
        return int(kernel.peek(self.memory.handle, last))

    def skip_to(self, minute: int) -> None:
        """Move the clock over minutes that change nothing."""
        if minute > self.clock:
            kernel.skip_to(self.memory.handle, minute)

    def open_minute(self, minute: int) -> None:
        """Steps (1) to (4) of advance(minute)."""
        self._until_done(lambda: int(kernel.open_minute(self.memory.handle, minute)))

    def close_minute(self) -> bool:
        """Steps (6) and (7); return False when effects must be taken first, then call again."""
        return self._until_done(lambda: int(kernel.close_minute(self.memory.handle)))

    def rescore(self) -> bool:
        """Judge whom new cut points score otherwise; return False when effects must be taken first."""
        return self._until_done(lambda: int(kernel.rescore(self.memory.handle)))

    def settle(self) -> None:
        """Let recency cuts that were set from outside reach as far as they do at the clock."""
        kernel.skip_to(self.memory.handle, self.clock)

    def activate(self) -> bool:
        """Judge everybody under new rules (G4); return False when effects must be taken first."""
        return self._until_done(lambda: int(kernel.activate(self.memory.handle)))

    def _until_done(self, call: Any) -> bool:
        while True:
            lack = call()
            self._check()
            if lack == 0:
                return True
            if DOMAINS[lack] in ("transition", "decision"):
                return False
            self.memory.grow(DOMAINS[lack])

    def take_effects(self) -> RawEffects | None:
        """Return what came out since the last time, and empty the buffers; None when nothing did."""
        transitions = self.memory.scalar("transitions_used")
        decisions = self.memory.scalar("decisions_used")
        if transitions == 0 and decisions == 0:
            return None
        self.memory.set_scalar("transitions_used", 0)
        self.memory.set_scalar("decisions_used", 0)
        return RawEffects(
            self._heads(TRANSITION_COLUMNS, transitions), self._heads(DECISION_COLUMNS, decisions)
        )

    def take_changed(self) -> Array:
        """Return the numbers of the customers whose profile changed since the last time, int32."""
        count = self.memory.scalar("changed_used")
        changed = self.memory["changed"][:count].copy()
        self.memory["customer_touch"][changed] = 0
        self.memory.set_scalar("changed_used", 0)
        return changed

    def change_all(self) -> None:
        """Let every customer be among `take_changed`: for a store that does not have them."""
        self.memory["changed"][: self.customers] = np.arange(self.customers)
        self.memory["customer_touch"][: self.customers] = CHANGED
        self.memory.set_scalar("changed_used", self.customers)

    def _heads(self, names: list[str], count: int) -> dict[str, Array]:
        """Return copies of the first ``count`` elements of effect columns; no effects are kept ready."""
        if count == 0 and names[0] in self._no_effects:
            return self._no_effects[names[0]]
        found = {name[2:]: self._head(name, count) for name in names}
        if count == 0:
            self._no_effects[names[0]] = found
        return found

    def _head(self, name: str, count: int) -> Array:
        array = self.memory[name]
        width = WIDTHS[name]
        if not width:
            return array[:count].copy()
        places = self.memory.dimensions[width]
        return array[: count * places].copy().reshape(count, places)

    def per_customer(self, name: str) -> Array:
        """Return a customer column of those in use: shape (customers,) or (customers, width); a view."""
        column = BY_NAME[name]
        width = self.memory.dimensions.get(column.width, 1)
        array = self.memory[name][: self.customers * width]
        return array.reshape(self.customers, width) if column.width else array

    def ids(self, customers: Array) -> list[bytes]:
        """Return ids, 16 bytes each, of customers by number, int32 of shape (customers,)."""
        halves = np.empty((len(customers), 2), dtype=">i8")
        halves[:, 0] = self.memory["customer_high"][customers]
        halves[:, 1] = self.memory["customer_low"][customers]
        packed = halves.tobytes()
        return [packed[at : at + 16] for at in range(0, len(packed), 16)]

    def set_fixed_cuts(self, model: int) -> None:
        """Put given cut points in force (R4): they hold from the start."""
        from rfm.scores import CUTS

        fixed = self.plan.models[model].model.fixed
        assert fixed is not None
        at = model * CUTS
        for i, cut in enumerate(fixed.recency):
            self.memory["cut_r"][at + i] = cut
        for i, cut in enumerate(fixed.frequency):
            self.memory["cut_f"][at + i] = cut + 1
        for i, cut in enumerate(fixed.monetary):
            self.memory["cut_m"][at + i] = cut + 1
        self.memory["cuts_known"][model] = 1

    def _check(self) -> None:
        self.memory.check_faults()
        failure = self.memory.scalar("failure")
        if failure:
            raise EngineError(f"step {self.memory.scalar('step')}: {kernel.FAILURES[failure]}")
