"""The plan of tags: their order, groups, ends and who reads what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from graphlib import CycleError, TopologicalSorter

from engine.plan_metrics import MetricPlan
from engine.state import LEAVES, WORD
from profiles.windows import parse_length
from rules.check import Checked, check_rule
from rules.error import RuleError
from rules.schema import Schema
from tags.tag import Tag

AddProgram = Callable[[str, Checked], int]


class TagPlan:
    """Tags in the order of their dependencies, a group as one (semantics G2); ties by name."""

    def __init__(self, tags: Mapping[str, Tag], groups: Mapping[str, list[str]], schema: Schema) -> None:
        self.declared = tags
        self.groups = {name: list(members) for name, members in groups.items()}
        self.rules = {name: check_rule(tag.rule, schema) for name, tag in tags.items() if tag.rule}
        self.names = self._order()
        self.number = {name: i for i, name in enumerate(self.names)}
        self.words = max(1, -(-len(self.names) // WORD))
        self.with_end = [name for name in self.names if tags[name].sticky or tags[name].max]
        self.group_of = {tag: members for members in self.groups.values() for tag in members}

    def _order(self) -> list[str]:
        """Return the tags: what a unit reads stands before it; of several ready, the first name (G2)."""
        unit_of = {tag: name for name, members in self.groups.items() for tag in members}
        units = {
            unit_of.get(tag, tag): self.groups[unit_of[tag]] if tag in unit_of else [tag]
            for tag in self.declared
        }
        reads = {
            unit: {
                unit_of.get(read, read)
                for tag in members
                if tag in self.rules
                for read in self.rules[tag].tags
            }
            for unit, members in units.items()
        }
        _refuse_circles(reads)
        names: list[str] = []
        placed: set[str] = set()
        while len(placed) < len(units):
            unit = min(u for u in units if u not in placed and reads[u] <= placed)
            placed.add(unit)
            names += units[unit]
        return names

    def bits(self, chosen: list[str]) -> list[int]:
        """Return the words with the bits of some tags."""
        words = [0] * self.words
        for name in chosen:
            words[self.number[name] // WORD] |= 1 << (self.number[name] % WORD)
        return words

    def columns(self, add: AddProgram, metric: MetricPlan, models: list[str]) -> dict[str, list[int]]:
        """Return the tags' plan columns (their triggers' lists are the trigger plan's)."""
        out: dict[str, list[int]] = {name: [] for name in _NAMES}
        for name in self.names:
            tag, rule, group = self.declared[name], self.rules.get(name), self.group_of.get(name)
            out["tag_program"].append(add(f"tag {name}", rule) if rule else -1)
            out["tag_sticky"].append(parse_length(tag.sticky) if tag.sticky else 0)
            out["tag_max"].append(parse_length(tag.max) if tag.max else 0)
            out["tag_end"].append(2 * self.with_end.index(name) if name in self.with_end else -1)
            out["tag_group"].append(self.number[group[-1]] if group else -1)
            out["tag_group_first"].append(self.number[group[0]] if group else -1)
            out["tag_readers"] += self.bits([n for n, r in self.rules.items() if name in r.tags])
            out["tag_leaf"] += metric.leaves(rule.metrics if rule else (), LEAVES)
        for spec in metric.specs:
            out["metric_tags"] += self.bits([n for n, r in self.rules.items() if spec in r.metrics])
        for model in models:
            out["model_tags"] += self.bits([n for n, r in self.rules.items() if model in r.models])
        return out

    def dimensions(self) -> dict[str, int]:
        """Return the widths that follow from the tags."""
        return {"tags": len(self.names), "tag_words": self.words, "ends": 2 * len(self.with_end)}


def _refuse_circles(reads: Mapping[str, set[str]]) -> None:
    """Raise RuleError where units rest on each other in a circle."""
    try:
        TopologicalSorter(reads).prepare()
    except CycleError as error:
        circle = " -> ".join(error.args[1])
        raise RuleError(f"tags rest on each other in a circle: {circle}", "break it at one of them") from None


_NAMES = ("tag_program", "tag_sticky", "tag_max", "tag_end", "tag_group", "tag_group_first", "tag_readers",
          "tag_leaf", "metric_tags", "model_tags")  # fmt: skip
