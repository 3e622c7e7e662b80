"""Profiles as documents: what the store serves of each customer, read from the columns.

A document holds nothing that moves by itself (P4): the minute of the last order and not the recency,
``until`` and not what remains. So it is written anew only when its customer is in `Partition.take_changed`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from engine.memory import Array
from engine.partition import Partition
from engine.readout import accumulators
from engine.state import WORD
from engine.why import declared_value, number_of, tag_states
from profiles.metrics import AVG, COUNT, DISTINCT, FIRST, LAST, NAMES, SUM
from rules.metric import MetricSpec

Document = dict[str, Any]
_MODEL = ("recent", "frequency", "monetary", "score_r", "score_f", "score_m", "segment")


def documents(partition: Partition, customers: Array) -> Iterator[tuple[bytes, Document | None]]:
    """Yield (id of 16 bytes, document) of customers by number, int32 of shape (customers,), in that order;
    None of one that is erased. Who is erased and has come again is left out under the old number.

    A document: ``id`` (32 hex digits); ``metrics`` (declared, by name: a whole number, text, [sum, count] of
    an average, or null); ``attributes``; ``rfm`` (by model, null outside the population: ``last_order``, the
    epoch minute, ``frequency``, ``monetary`` in minor units, ``r``, ``f``, ``m``, ``score``, ``segment``);
    ``tags`` held (``since``, ``until`` as epoch minutes or null, ``manual``).
    """
    plan = partition.plan
    customers, ids, erased = _known(partition, customers)
    metrics = {name: _declared(partition, customers, *what) for name, what in plan.declared.items()}
    attributes = {
        name: _values(partition, customers, spec) for name, spec in plan.metric.schema.attributes.items()
    }
    models = {m.model.name: _model(partition, customers, i) for i, m in enumerate(plan.models)}
    tags = _tags(partition, customers)
    for i, customer in enumerate(ids):
        if erased[i]:
            yield customer, None
            continue
        document = {
            "id": customer.hex(),
            "metrics": {name: values[i] for name, values in metrics.items()},
            "attributes": {name: values[i] for name, values in attributes.items()},
            "rfm": {name: values[i] for name, values in models.items()},
            "tags": tags[i],
        }
        yield customer, document


def _known(partition: Partition, customers: Array) -> tuple[Array, list[bytes], list[bool]]:
    """Return those customers who have not come again under another number, their ids, and who is erased."""
    gone = partition.per_customer("customer_gone")[customers] != 0
    ids = partition.ids(customers)
    stays = [not erased or number_of(partition, one.hex()) < 0 for one, erased in zip(ids, gone, strict=True)]
    kept = np.array(stays, dtype=bool)
    return customers[kept], [one for one, stay in zip(ids, stays, strict=True) if stay], gone[kept].tolist()


def _declared(partition: Partition, customers: Array, spec: MetricSpec, program: int) -> list[Any]:
    if program < 0 or partition.plan.metric.number[spec] in partition.plan.texts:
        return _values(partition, customers, spec)
    return [declared_value(partition, c, spec, program) for c in customers.tolist()]


def _values(partition: Partition, customers: Array, spec: MetricSpec) -> list[Any]:
    """Return one metric of these customers; as `engine.why.metric_value`, for many at once."""
    plan, memory = partition.plan, partition.memory
    m = plan.metric.number[spec]
    function = NAMES.index(spec.function)
    sums, counts = accumulators(partition, m, customers)
    if function in (COUNT, SUM, DISTINCT):
        return [int(value) for value in (sums if function == SUM else counts).tolist()]
    if function in (FIRST, LAST):
        rows = np.maximum(counts - 1, 0)
        place, width = int(plan.columns["metric_value"][m]), memory.dimensions["row_values"]
        values = memory["row_minute"][rows] if place < 0 else memory.row_values[rows * width + place]
    elif function == AVG:
        pairs = zip(sums.tolist(), counts.tolist(), strict=True)
        return [[total, count] if count > 0 else None for total, count in pairs]
    else:
        values = sums
    texts = partition.texts if m in plan.texts else None
    return [
        (texts[value] if texts is not None else value) if is_known else None
        for value, is_known in zip(values.tolist(), (counts > 0).tolist(), strict=True)
    ]


def _model(partition: Partition, customers: Array, model: int) -> list[Document | None]:
    segments = [*partition.plan.segments[model], None]  # -1: none
    columns = [partition.per_customer(name)[customers, model].tolist() for name in _MODEL]
    return [
        None if recent < 0 else {
            "last_order": recent, "frequency": frequency, "monetary": monetary,
            "r": r or None, "f": f or None, "m": m or None,
            "score": 100 * r + 10 * f + m if r else None, "segment": segments[segment],
        }
        for recent, frequency, monetary, r, f, m, segment in zip(*columns, strict=True)
    ]  # fmt: skip


def _tags(partition: Partition, customers: Array) -> list[Document]:
    """Return the tags each customer holds, in the order of their names."""
    names = partition.plan.tag.names
    held: list[Document] = [{} for _ in range(len(customers))]
    if not names or not held:
        return held
    words, tags = partition.per_customer("member")[customers], np.arange(len(names))
    who, numbers = np.nonzero(words[:, tags // WORD] >> (tags % WORD) & 1)
    states = tag_states(partition, customers[who], numbers)
    for at, number, state in zip(who.tolist(), numbers.tolist(), states, strict=True):
        held[at][names[number]] = state
    return held
