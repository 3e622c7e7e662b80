"""Keeps a shop's slots up to date: trains from history now and then, reads what is new every few seconds.

Order of a training, so that whoever reads meanwhile gets the former model whole or the new one:
1. how far history goes is noted, then rows are read: what comes meanwhile is read again by the next refresh;
2. model and catalogue are written under new versions, which nothing points to;
3. customers' items are written, each at once: they name items, and fit either model;
4. the pointer turns. What it pointed to goes a minute later.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from profiles.windows import parse_length
from rules.schema import Schema
from sinks.history.history import History
from sinks.recommendations.catalogue import facts_of, read_file, read_source
from sinks.recommendations.declaration import Recommendations
from sinks.recommendations.fit import fit
from sinks.recommendations.model import Facts, Model
from sinks.recommendations.reading import Reading
from sinks.recommendations.shelves import Shelves, Standing
from streams.contract.source import Source
from streams.errors import InputError

LABEL = "recommendations.yaml"
Say = Callable[[str], None]


class Trainer:
    """One shop's; one thread uses it. folder: the shop's, in which the catalogue's file is; now: seconds
    since 1970. Each step raises InputError where somebody has to mend something, and `redis.RedisError`."""

    def __init__(
        self, folder: Path, declared: Recommendations, sources: dict[str, Source], schema: Schema,
        history: History, shelves: Shelves, now: Callable[[], float],
    ) -> None:  # fmt: skip
        self._folder, self._declared, self._sources = folder, declared, sources
        self._reading = Reading(history, declared, schema)
        self._shelves, self._now = shelves, now
        self._every_seconds = parse_length(declared.train_every) * 60
        text = declared.model_dump_json(by_alias=True)
        self._made_by = hashlib.sha256(text.encode()).hexdigest()[:16]
        self._model: tuple[str, Model] | None = None  # in force, by its version
        self._waiting: set[str] = set()  # customers of whom history knows before the store has their profile

    def step(self, say: Say = lambda _: None) -> bool:
        """Train if it is time to, else read what is new; return whether there is a model now."""
        standing = self._shelves.standing()
        is_due = (
            standing is None
            or standing.declared != self._made_by
            or not 0 <= self._now() - standing.trained < self._every_seconds
        )
        if is_due or standing is None:
            return self.train(say) is not None
        self.refresh(standing)
        return True

    def train(self, say: Say = lambda _: None) -> Model | None:
        """Train and put the model in force; None, and nothing in force is touched, where history has no rows
        of interest yet. say: gets a line about each stage."""
        ends = self._reading.ends()
        say("reading history")
        touches = self._reading.touches()
        if not touches.num_rows:
            return None
        seen = self._reading.seen(touches)
        say(f"fitting {len(seen.items):,} items of {len(seen.customers):,} customers")
        model = fit(seen, self._reading.members(seen.customers))
        facts = self._facts(model)
        say("writing to the store")
        versions = self._shelves.write("model", model.packed()), self._shelves.write("facts", facts.packed())
        self._waiting = set(self._shelves.keep(self._reading.customers(touches)))
        now = self._now()
        self._shelves.stand(Standing(*versions, self._made_by, now, now, ends))
        self._model = versions[0], model
        return model

    def refresh(self, standing: Standing) -> int:
        """Read what is new of customers and the catalogue; return of how many customers something was."""
        ends = self._reading.ends()
        changed = sorted({*self._reading.changed(standing.ends), *self._waiting})
        self._waiting.clear()
        for some in self._reading.in_batches(changed):
            found = dict(self._reading.customers(self._reading.touches(some), some))
            for customer in some:
                if customer not in found:
                    self._shelves.erase(bytes.fromhex(customer))
            self._waiting.update(self._shelves.keep(found.items()))
        facts = standing.facts
        if self._declared.catalogue is not None:
            packed = self._facts(self._model_of(standing.model)).packed()
            if packed != self._shelves.read("facts", facts):
                facts = self._shelves.write("facts", packed)
        self._shelves.stand(Standing(
            standing.model, facts, standing.declared, standing.trained, self._now(), ends
        ))  # fmt: skip
        return len(changed)

    def _model_of(self, version: str) -> Model:
        if self._model is None or self._model[0] != version:
            packed = self._shelves.read("model", version)
            if packed is None:
                raise InputError("recommendations", "the model went out of the store", "it is trained again")
            self._model = version, Model.unpacked(packed)
        return self._model[1]

    def _facts(self, model: Model) -> Facts:
        catalogue = self._declared.catalogue
        if catalogue is None:
            return Facts.none(len(model.items))
        if catalogue.file:
            path = self._folder / catalogue.file
            return facts_of(read_file(path, catalogue), catalogue, model.items, str(path))
        rows = read_source(self._reading, catalogue, self._sources[catalogue.source])
        return facts_of(rows, catalogue, model.items, f"{LABEL}, catalogue")
