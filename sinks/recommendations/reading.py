"""Reads from history what training and serving need of customers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from profiles.windows import parse_length
from rules.schema import Schema
from sinks.history.asking import has_table
from sinks.history.condition import condition
from sinks.history.history import CHANGES, CONTROLS, History
from sinks.recommendations import questions
from sinks.recommendations.customer import Consent, Customer, Touch, kept
from sinks.recommendations.declaration import Recommendations
from sinks.recommendations.fit import Seen

Ends = dict[str, dict[int, int]]  # by table the last step of each partition
_TOGETHER = 2000  # customers of one question: it may have 256 KB


class Reading:
    """Questions of one shop to its history. Raises InputError where history cannot answer."""

    def __init__(self, history: History, declared: Recommendations, schema: Schema) -> None:
        self._history, self._declared = history, declared
        self._where = [
            "1" if one.where is None else condition(one.where, schema, one.source)
            for one in declared.interests
        ]
        windows = (slot.rules.not_bought_within for slot in declared.slots.values())
        self._longest = max((parse_length(one) for one in windows if one is not None), default=None)

    def ends(self) -> Ends:
        """Return how far history goes in each table that is read."""
        return {table: self._ends(table) for table in self._tables()}

    def touches(self, customers: Sequence[str] | None = None) -> pa.Table:
        """Return ``customer, item, times, last, kind`` of these customers, of everybody when None; in the
        order of customer, item and kind."""
        found = []
        for kind, one in enumerate(self._declared.interests):
            if not has_table(self._history, CHANGES + one.source):
                continue  # nothing came yet
            question = questions.touches(one.source, one.item, self._where[kind], customers)
            table = self._history.query(question)
            number = pa.array(np.full(table.num_rows, kind, np.int64))
            columns = [table["customer"].cast(pa.utf8()), table["item"].cast(pa.utf8())]
            columns += [table[name].cast(pa.int64()) for name in ("times", "last")]
            found.append(pa.Table.from_arrays([*columns, number], names=_NAMES))
        if not found:
            return pa.Table.from_arrays([pa.array([], kind) for kind in _KINDS], names=_NAMES)
        whole = pa.concat_tables(found)
        return whole.sort_by([(name, "ascending") for name in ("customer", "item", "kind")])

    def seen(self, touches: pa.Table) -> Seen:
        """Return what `touches` returned of everybody, for training."""
        customer, customers = _numbered(touches["customer"])
        item, items = _numbered(touches["item"])
        kind = touches["kind"].to_numpy()
        interests = self._declared.interests
        weights = np.array([one.weight for one in interests], np.float64)
        half_lives = np.array([parse_length(one.half_life) for one in interests], np.float64)
        return Seen(
            customers, items, customer, item, touches["times"].to_numpy(), touches["last"].to_numpy(),
            weights[kind], half_lives[kind],
        )  # fmt: skip

    def members(self, customers: Sequence[str]) -> dict[str, NDArray[np.bool_]]:
        """Return for each list of what is popular with some which of these customers belong to them."""
        lists = self._declared.lists()
        place = {customer: at for at, customer in enumerate(customers)}
        found = {strategy: np.zeros(len(customers), np.bool_) for strategy, _, _ in lists}
        for kind in sorted({kind for _, kind, _ in lists}):
            answer = self._history.query(questions.members(kind))
            rows = zip(*(answer[name].to_pylist() for name in ("customer", "what", "now")), strict=True)
            wanted = [(strategy, name) for strategy, one, name in lists if one == kind]
            for customer, what, now in rows:
                are = {now, f"{what}/{now}"} if kind == "segment" else {what} if now == "enter" else set()
                for strategy, name in wanted:
                    if name in are and customer in place:
                        found[strategy][place[customer]] = True
        return found

    def customers(
        self, touches: pa.Table, who: Sequence[str] | None = None
    ) -> Iterator[tuple[str, Customer]]:
        """Yield what is kept of each customer that has touches or consents; who: whose these are, None: all.
        """
        consents = self._consents(who)
        newest = pc.max(touches["last"]).as_py()
        since = None if self._longest is None or newest is None else newest - self._longest
        acts = [one.act for one in self._declared.interests]
        names, rows = touches["customer"].to_pylist(), touches.select(["item", "times", "last", "kind"])
        items, times, lasts, kinds = (column.to_pylist() for column in rows.columns)
        at = 0
        while at < len(names):
            end = at + 1
            while end < len(names) and names[end] == names[at]:
                end += 1
            mine = [
                Touch(items[n], kinds[n], acts[kinds[n]], times[n], lasts[n]) for n in range(at, end)
            ]
            yield names[at], Customer(kept(mine, since), consents.pop(names[at], ()))
            at = end
        for customer, granted in consents.items():
            yield customer, Customer((), granted)

    def changed(self, seen: Mapping[str, Mapping[int, int]]) -> list[str]:
        """Return the customers of whom something came since history ended there, ascending."""
        found: set[str] = set()
        for table in self._tables():
            if has_table(self._history, table):
                question = questions.changed(table, sorted(seen.get(table, {}).items()))
                found.update(self._history.query(question)["customer"].to_pylist())
        return sorted(found)

    def newest_of_items(self, source: str, item: str, columns: Sequence[str]) -> dict[str, list[Any]]:
        """Return item to the values of its newest row's columns."""
        if not has_table(self._history, CHANGES + source):
            return {}
        answer = self._history.query(questions.newest_of_items(source, item, columns))
        names, *values = (column.to_pylist() for column in answer.columns)
        return {name: list(row) for name, row in zip(names, zip(*values, strict=True), strict=True)}

    def in_batches(self, customers: Sequence[str]) -> Iterator[Sequence[str]]:
        """Yield customers so many at once as one question may name."""
        for at in range(0, len(customers), _TOGETHER):
            yield customers[at : at + _TOGETHER]

    def _consents(self, customers: Sequence[str] | None) -> dict[str, list[Consent]]:
        asked = self._declared.consents()
        if not asked:
            return {}
        answer = self._history.query(questions.consents(customers))
        found: dict[str, list[Consent]] = {}
        pairs = zip(answer["customer"].to_pylist(), answer["newest"].to_pylist(), strict=True)
        for customer, text in pairs:
            body = json.loads(text)
            name = f"{body['channel']}/{body['purpose']}"
            if name in asked and body["granted"]:
                found.setdefault(customer, []).append(Consent(name, body["until"]))
        return found

    def _tables(self) -> list[str]:
        sources = {one.source for one in self._declared.interests}
        return [CONTROLS, *(CHANGES + source for source in sorted(sources))]

    def _ends(self, table: str) -> dict[int, int]:
        if not has_table(self._history, table):
            return {}
        answer = self._history.query(questions.ends(table))
        return dict(zip(answer["partition"].to_pylist(), answer["last"].to_pylist(), strict=True))


_NAMES = ["customer", "item", "times", "last", "kind"]
_KINDS = [pa.utf8(), pa.utf8(), pa.int64(), pa.int64(), pa.int64()]


def _numbered(names: pa.ChunkedArray) -> tuple[NDArray[np.int64], list[str]]:
    """Return the place of each name among the different ones in order, and these."""
    encoded = names.combine_chunks().dictionary_encode()
    values = encoded.dictionary.to_pylist()
    order = sorted(range(len(values)), key=values.__getitem__)
    place = np.empty(len(values), np.int64)
    place[order] = np.arange(len(values))
    return place[encoded.indices.to_numpy()], [values[at] for at in order]
