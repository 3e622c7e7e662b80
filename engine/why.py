"""One customer's profile, and why a tag is held: the rule's values, window edges, rows that counted."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.kernel import evaluate, find_number, put_fact
from engine.memory import Array
from engine.partition import Partition
from engine.state import FACT_VALUES, ROW_WORD, WORD
from profiles import facts
from profiles.intervals import ALL
from profiles.lists import GAP
from profiles.metrics import AVG, COUNT, DISTINCT, FIRST, LAST, NAMES, SLOTS, SUM
from rules.metric import MetricSpec

DAY = 1440
ROWS_SHOWN = 20  # semantics G5
MINUTE_US = 60_000_000


def number_of(partition: Partition, customer: str) -> int:
    """Return a customer's number, or -1."""
    high, low = (int(n) for n in np.frombuffer(bytes.fromhex(customer), dtype=">i8"))
    return int(find_number(partition.memory.handle, high, low))


def profile(partition: Partition, customer: str) -> dict[str, Any] | None:
    """Return id, as_of, metrics (declared, by name), attributes, rfm and tags held; None if unknown."""
    c = number_of(partition, customer)
    if c < 0:
        return None
    plan = partition.plan
    attributes = plan.metric.schema.attributes
    held = [tag for tag in plan.tag.names if _holds(partition, c, tag)]
    numbers = np.array([plan.tag.number[tag] for tag in held], dtype=np.int64)
    return {
        "id": customer,
        "as_of": partition.clock,
        "metrics": {name: declared_value(partition, c, *what) for name, what in plan.declared.items()},
        "attributes": {name: metric_value(partition, c, spec) for name, spec in attributes.items()},
        "rfm": {m.model.name: _rfm(partition, c, i) for i, m in enumerate(plan.models)},
        "tags": dict(zip(held, tag_states(partition, np.full(len(held), c), numbers), strict=True)),
    }


def declared_value(partition: Partition, c: int, spec: MetricSpec, program: int) -> Any:
    """Return a declared metric: its expression's value, or an avg's (sum, count)."""
    if program < 0 or partition.plan.metric.number[spec] in partition.plan.texts:
        return metric_value(partition, c, spec)
    evaluate(partition.memory.handle, program, c)
    return None if partition.memory["stack_null"][0] else int(partition.memory["stack_value"][0])


def metric_value(partition: Partition, c: int, spec: MetricSpec) -> Any:
    """Return one metric of a customer: a whole number, text, (sum, count) of avg, or None."""
    plan, memory = partition.plan, partition.memory
    m = plan.metric.number[spec]
    function = NAMES.index(spec.function)
    total = int(partition.per_customer("slot")[c, plan.columns["metric_slot"][m]]) if SLOTS[function] else 0
    if function == SUM:
        return total
    tally = int(partition.per_customer("tally")[c, plan.columns["metric_tally"][m]])
    if function in (COUNT, DISTINCT):
        return tally
    if tally <= 0:
        return None
    if function == AVG:
        return total, tally
    value = total
    if function in (FIRST, LAST):
        place = int(plan.columns["metric_value"][m])
        width = memory.dimensions["row_values"]
        value = int(
            memory["row_minute"][tally - 1] if place < 0 else memory.row_values[(tally - 1) * width + place]
        )
    return partition.texts[value] if m in plan.texts else value


def why_tag(partition: Partition, customer: str, tag: str, rule: str) -> dict[str, Any]:
    """Return the rule, its metrics with values and window edges, and the first rows that counted (G5)."""
    c, plan = number_of(partition, customer), partition.plan
    checked = plan.tag.rules.get(tag)
    specs = checked.metrics if checked else ()
    rows = [row for spec in specs for row in rows_that_count(partition, c, spec)]
    return {
        "rule": rule,
        "values": {spec.key: metric_value(partition, c, spec) for spec in specs},
        "edges": {spec.key: window_edges(partition, c, spec) for spec in specs},
        "tags": list(checked.tags) if checked else [],
        "rows": rows[:ROWS_SHOWN],
        "more_rows": max(0, len(rows) - ROWS_SHOWN),
    }


def window_edges(partition: Partition, c: int, spec: MetricSpec) -> tuple[int | None, int]:
    """Return the first event minute that a metric counts (None: all) and the one it no longer counts."""
    memory, w = (
        partition.memory,
        int(partition.plan.columns["metric_window"][partition.plan.metric.number[spec]]),
    )
    if spec.window.kind == "own":
        at = c * memory.dimensions["own_windows"] + int(partition.plan.columns["window_unit"][w])
        return int(memory["own_low"][at]), min(int(memory["own_high"][at]), partition.clock + 1)
    low = None if partition.plan.columns["window_kind"][w] == ALL else int(memory["window_low"][w])
    return low, int(memory["window_high"][w])


def rows_that_count(partition: Partition, c: int, spec: MetricSpec) -> list[dict[str, Any]]:
    """Return the rows that a metric counts now, the newest first: source, time and kept columns."""
    plan, memory = partition.plan, partition.memory
    m = plan.metric.number[spec]
    source, bit = int(plan.columns["metric_source"][m]), int(plan.columns["metric_bit"][m])
    h = c * memory.dimensions["sources"] + source
    start = int(memory["list_start"][h])
    start += int(memory["place"][start]) if memory["list_class"][h] >= GAP else 0
    words = memory.dimensions["row_words"]
    low, high = window_edges(partition, c, spec)
    found = []
    for row in reversed(memory["place"][start : start + int(memory["list_size"][h])].tolist()):
        minute = int(memory["row_minute"][row])
        counts = int(memory["row_pass"][row * words + bit // ROW_WORD]) >> (bit % ROW_WORD) & 1
        if counts and (low is None or minute >= low) and minute < high:
            found.append(_row(partition, row, spec.source))
    return found


def _row(partition: Partition, row: int, source: str) -> dict[str, Any]:
    memory, schema = partition.memory, partition.plan.metric.schema
    width = memory.dimensions["row_values"]
    shown: dict[str, Any] = {"source": source, "minute": int(memory["row_minute"][row])}
    for j, name in enumerate(partition.plan.metric.projection[source]):
        value = int(memory.row_values[row * width + j])
        shown[name] = partition.texts[value] if schema.column(source, name).type == "text" else value
    return shown


def _holds(partition: Partition, c: int, tag: str) -> bool:
    number = partition.plan.tag.number[tag]
    return bool(int(partition.per_customer("member")[c, number // WORD]) >> (number % WORD) & 1)


def tag_states(partition: Partition, customers: Array, tags: Array) -> list[dict[str, Any]]:
    """Return since, until (epoch minutes; None without end) and manual of tags that are held.

    customers, tags: their numbers, each integers of shape (held,).
    """
    if not len(tags):
        return []
    since = partition.per_customer("since")[customers, tags].tolist()
    by_hand = partition.per_customer("manual")[customers, tags // WORD] >> (tags % WORD) & 1
    ends = partition.plan.columns["tag_end"][tags]
    until = np.zeros(len(tags), dtype=np.int64)
    ending = (ends >= 0) & (by_hand == 0)
    if ending.any():
        until[ending] = partition.per_customer("until")[customers[ending], ends[ending]]
    for at in np.flatnonzero(by_hand).tolist():
        until[at] = _manual_until(partition, int(customers[at]), int(tags[at]))
    columns = zip(since, until.tolist(), by_hand.tolist(), strict=True)
    return [{"since": began, "until": end or None, "manual": bool(manual)} for began, end, manual in columns]


def _manual_until(partition: Partition, c: int, tag: int) -> int:
    place = put_fact(partition.memory.handle, c, facts.MANUAL, tag)  # it is there: the tag is set by hand
    return int(partition.memory["fact_value"][place * FACT_VALUES + 1])


def _rfm(partition: Partition, c: int, model: int) -> dict[str, Any]:
    declared = partition.plan.models[model].model
    read = {name: int(partition.per_customer(name)[c, model]) for name in
            ("recent", "frequency", "monetary", "score_r", "score_f", "score_m", "segment")}  # fmt: skip
    if read["recent"] < 0:
        return dict.fromkeys(("recency", "frequency", "monetary", "r", "f", "m", "score", "segment"))
    recency = partition.clock - read["recent"]
    if declared.recency_unit == "day":
        recency //= DAY
    scored = read["score_r"] > 0
    return {
        "recency": recency, "frequency": read["frequency"], "monetary": read["monetary"],
        "r": read["score_r"] or None, "f": read["score_f"] or None, "m": read["score_m"] or None,
        "score": 100 * read["score_r"] + 10 * read["score_f"] + read["score_m"] if scored else None,
        "segment": partition.plan.segments[model][read["segment"]] if read["segment"] >= 0 else None,
    }  # fmt: skip
