"""A shop's declarations as numbers: what the kernel reads instead of code made for each configuration."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.plan_guards import GuardPlan
from engine.plan_metrics import FUTURE_MINUTES, MetricPlan
from engine.plan_models import model_columns
from engine.plan_tags import TagPlan
from engine.plan_triggers import TriggerPlan
from engine.state import AHEAD, CAUSES, FACT_VALUES, LEAVES
from profiles.calendar import UNITS, boundaries
from rfm.model import RfmModel
from rfm.scores import CUTS
from rules.bytecode import Program, compile_rule
from rules.check import Checked, check_metric, check_rfm, check_rule
from rules.meaning import MetricValue
from rules.metric import MetricSpec
from rules.metric_call import metric_type
from rules.rfm_plan import RfmPlan
from rules.schema import Schema, segment_names
from rules.scope import row_of
from rules.write import write
from streams.contract.source import Source
from tags.tag import Tag
from triggers.life import in_force
from triggers.shop_guards import ShopGuards
from triggers.trigger import Trigger

FIXED_STACK = 128
LIST_CLASSES = 60  # block sizes of lists: up to three times 2^29 places


class ShopSettings(Protocol):
    """The settings that results depend on."""

    @property
    def zone(self) -> str: ...
    @property
    def groups(self) -> Mapping[str, list[str]]: ...
    @property
    def guards(self) -> ShopGuards: ...


class Declarations(Protocol):
    """What the engine needs of a shop (`app.shop.Shop` has it)."""

    @property
    def settings(self) -> ShopSettings: ...
    @property
    def sources(self) -> Mapping[str, Source]: ...
    @property
    def metrics(self) -> Mapping[str, str]: ...
    @property
    def rfm(self) -> Iterable[RfmModel]: ...
    @property
    def tags(self) -> Mapping[str, Tag]: ...
    @property
    def triggers(self) -> Mapping[str, Trigger]: ...


@dataclass
class Plan:
    """The compiled configuration.

    ``columns``: the kernel's plan columns; ``dimensions``: widths; ``fixed``: sizes of domains. ``seeds``:
    texts with the first partition codes. ``declared``: name -> (first metric of the expression, its
    program; -1 for a metric that stands alone, which is read as it is). Names stand at their numbers:
    ``sources``, ``specs`` (metrics), ``tags``, ``triggers``, ``models`` with ``segments``, ``consents``
    (0: none).
    """

    zone: str
    declared: dict[str, tuple[MetricSpec, int]]
    metric: MetricPlan
    tag: TagPlan
    trigger: TriggerPlan
    models: list[RfmPlan]
    segments: list[tuple[str, ...]]
    seeds: list[str]
    columns: dict[str, NDArray[np.int64]] = field(repr=False)
    dimensions: dict[str, int]
    fixed: dict[str, int]
    scalars: dict[str, int]
    texts: frozenset[int] = frozenset()  # metrics whose value is a text's code

    @property
    def guards(self) -> GuardPlan:
        """The plan of guards."""
        return self.trigger.guards

    @property
    def switches(self) -> dict[str, int]:
        """What a switch names -> its place in switch_off."""
        return self.guards.switches(self.trigger.declared)

    @property
    def projection(self) -> dict[str, tuple[int, list[str]]]:
        """Source name -> (number, projected columns)."""
        return {name: (i, self.metric.projection[name]) for i, name in enumerate(self.metric.sources)}


class _Programs:
    """Programs by key, compiled once; it also resolves names for the compiler."""

    def __init__(self, schema: Schema, models: list[str]) -> None:
        self.schema = schema
        self.models = models
        self.metric_plan: MetricPlan | None = None
        self.tag_plan: TagPlan | None = None
        self.numbers: dict[str, int] = {}
        self.programs: list[Program] = []
        self.codes: dict[str, int] = {}

    def add(self, key: str, checked: Checked) -> int:
        """Compile a rule under a key, or return the number it has."""
        if key not in self.numbers:
            self.numbers[key] = len(self.programs)
            self.programs.append(compile_rule(checked, self))
        return self.numbers[key]

    def metric(self, spec: MetricSpec) -> int:
        assert self.metric_plan is not None
        return self.metric_plan.number[spec]

    def tag(self, name: str) -> int:
        assert self.tag_plan is not None
        return self.tag_plan.number[name]

    def rfm(self, model: str) -> int:
        return self.models.index(model)

    def column(self, source: str, name: str) -> int:
        assert self.metric_plan is not None
        return self.metric_plan.projection[source].index(name)

    def text(self, value: str) -> int:
        return self.codes.setdefault(value, len(self.codes))

    def columns(self) -> dict[str, list[int]]:
        """Return code, constants and where each program begins."""
        out: dict[str, list[int]] = {"code": [], "constant": [], "program_start": [], "program_constant": []}
        for program in self.programs:
            out["program_start"].append(len(out["code"]) // 3)
            out["program_constant"].append(len(out["constant"]))
            for op, a, b in program.code:
                out["code"] += [op, a, b]
            out["constant"] += program.constants
        out["program_start"].append(len(out["code"]) // 3)
        return out


def build(shop: Declarations) -> Plan:
    """Compile a shop. Raises rules.error.RuleError where a rule is wrong (`app.load` has found it before)."""
    schema = Schema.build(shop.sources, shop.metrics, shop.rfm, shop.tags)
    models = [check_rfm(model, schema) for model in shop.rfm]
    tag_plan = TagPlan(shop.tags, shop.settings.groups, schema)
    guards = GuardPlan.of(shop.settings.guards, shop.settings.zone, schema.attributes)
    trigger_plan = TriggerPlan(in_force(shop.triggers), schema, guards)
    checked = [*tag_plan.rules.values(), *trigger_plan.rules()]
    specs = [spec for rule in checked for spec in rule.metrics]
    specs += [s for m in models for s in (m.recency, m.frequency, *(term for _, term in m.monetary))]
    specs += guards.specs() + trigger_plan.hidden
    specs += list(schema.attributes.values()) + _own_anchors(specs, schema)
    declared = {name: check_metric(text, schema) for name, text in shop.metrics.items()}
    specs += [spec for expression in declared.values() for spec in expression.metrics]
    specs += _own_anchors(specs, schema)
    metric_plan = MetricPlan(schema, specs, [read for rule in checked for read in rule.columns])
    programs = _Programs(schema, [m.model.name for m in models])
    programs.metric_plan, programs.tag_plan = metric_plan, tag_plan
    _compile_filters(metric_plan, programs)
    kept = [_source_where(name, metric_plan, programs) for name in metric_plan.sources]
    # A metric that stands alone needs no program: documents read its column, for many customers at once.
    expressions = {
        n: programs.add(f"metric {n}", c) for n, c in declared.items()
        if c.type.kind != "average" and not isinstance(c.meaning, MetricValue)
    }  # fmt: skip
    out: dict[str, Any] = dict(metric_plan.columns(programs.numbers))
    out |= tag_plan.columns(programs.add, metric_plan, [m.model.name for m in models])
    out |= trigger_plan.columns(programs.add, metric_plan, tag_plan, models)
    out |= guards.columns(trigger_plan.names, trigger_plan.declared, programs.text)
    out |= model_columns(models, metric_plan, tag_plan)
    out |= programs.columns() | {"source_where": kept}
    starts, firsts = boundaries(shop.settings.zone)
    out |= {"calendar_start": starts, "unit_first": firsts}
    segments = [segment_names(m.model) for m in models]
    texts = frozenset(metric_plan.number[s] for s in metric_plan.specs if _is_text(s, schema))
    values = {n: (c.metrics[0], expressions.get(n, -1)) for n, c in declared.items()}
    plan = Plan(
        shop.settings.zone, values, metric_plan, tag_plan,
        trigger_plan, models, segments, list(programs.codes),
        {name: np.ascontiguousarray(values, dtype=np.int64) for name, values in out.items()},
        _dimensions(metric_plan, tag_plan, trigger_plan, models), {}, {}, texts,
    )  # fmt: skip
    _size(plan)
    return plan


def settings_hash(text: str) -> str:
    """Return the hash by which a version of the settings is named: 12 hex digits of SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _own_anchors(specs: Iterable[MetricSpec], schema: Schema) -> list[MetricSpec]:
    return [schema.attributes[spec.window.attribute] for spec in specs if spec.window.kind == "own"]


def _is_text(spec: MetricSpec, schema: Schema) -> bool:
    return (
        spec.function in ("first", "last")
        and spec.column is not None
        and metric_type(spec, schema).kind == "text"
    )


def _source_where(name: str, metric_plan: MetricPlan, programs: _Programs) -> int:
    """Return the program of what the rows of a source must pass to be kept, or -1."""
    node = metric_plan.where[name]
    if node is None:
        return -1
    return programs.add(f"{name}: {write(node)}", check_rule(node, metric_plan.schema, row_of(name)))


def _compile_filters(metric_plan: MetricPlan, programs: _Programs) -> None:
    for source, node in metric_plan.filters:
        if node is not None:
            programs.add(f"{source}: {write(node)}", check_rule(node, metric_plan.schema, row_of(source)))


def _dimensions(
    metric: MetricPlan, tag: TagPlan, trigger: TriggerPlan, models: list[RfmPlan]
) -> dict[str, int]:
    return {
        "": 1, **metric.dimensions(), **tag.dimensions(), "models": len(models),
        "judged": len(tag.names) + len(trigger.names) + len(models) + len(metric.windows) + 1,
        "schedules": trigger.put_aside, "fact_values": FACT_VALUES, "causes": CAUSES, "leaves": LEAVES,
        "figures": 2, "instruction": 3, "score_cells": 1000, "cuts": CUTS, "residues": 1440, "triple": 3,
    }  # fmt: skip


def _size(plan: Plan) -> None:
    """Set the sizes of what does not grow, and the scalars that mirror dimensions."""
    ring = 1
    while ring < plan.metric.reach_minutes() + FUTURE_MINUTES:
        ring *= 2
    plan.fixed |= {
        "minute": ring, "list_class": LIST_CLASSES, "stack": FIXED_STACK, "ahead": AHEAD,
        "window": max(1, len(plan.metric.windows)), "unit": len(UNITS) + 1,
        "model": max(1, len(plan.models)), "model_end": len(plan.models) + 1,
        "fresh": max(1, len(plan.metric.sources)), "sorted": 0, "batch": 0, "old": 0,
        "switch": len(plan.switches), "occasion": len(plan.trigger.names) + 1,
        "trigger": max(1, len(plan.trigger.names)),
    }  # fmt: skip
    names = (
        "sources",
        "row_words",
        "row_values",
        "slots",
        "tallies",
        "tags",
        "tag_words",
        "ends",
        "models",
        "own_windows",
    )
    plan.scalars |= {name: plan.dimensions[name] for name in names}
    plan.scalars |= {
        "windows": len(plan.metric.windows), "triggers": len(plan.trigger.names), "ring_mask": ring - 1,
        "ring_reach": ring - FUTURE_MINUTES,
        "metrics": len(plan.metric.specs),
        "distincts": sum(spec.function == "distinct" for spec in plan.metric.specs),
        "waiting_triggers": len(plan.columns["waiting_trigger"]),
        "absence_triggers": plan.trigger.absences,
        "segment_enters": len(plan.columns["segment_enter"]) // 3,
        "segment_leaves": len(plan.columns["segment_leave"]) // 3,
        "zones": len(plan.columns["zone_code"]), "caps": len(plan.columns["cap_most"]),
        "zone_metric": plan.metric.number[plan.guards.zone_spec] if plan.guards.zone_spec else -1,
    }  # fmt: skip
