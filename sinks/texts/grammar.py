"""What a text may consist of: a closed part of Jinja2's language, checked over its syntax tree.

There is no loop, call, attribute, index, assignment or arithmetic, so that a text's work and length are
bounded by its own length. An expression is said (an output, a filter's input or argument, a side of ``~`` or
of a comparison) or asked (behind ``if``, ``and``, ``or``, ``not``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from jinja2 import nodes

from rules.suggest import suggest
from sinks.texts.arguments import said_arguments, wrong_arguments
from sinks.texts.forms import FORMS
from sinks.texts.kinds import ANY, IN_WORDS, NUMBER, TEXT, Kind

DEEPEST = 20  # levels; beyond a hundred CPython itself refuses what is compiled
LARGEST = 2**63
MOST_SAID = 200  # values; with the longest value it bounds the memory of filling a text
RESERVED = ("self", "super", "loop", "caller", "varargs", "kwargs")  # Jinja2 gives these meanings of its own
OF_RULES = "work it out in the trigger's 'values', as a rule"
_OTHER_BRACES = re.compile(r"(?<!\{)\{\s*[^\W\d]\w*\s*\}(?!\})|｛+\s*[^｛｝]*｝+|\{｛|｛\{")
# What people may write who know Jinja2, and what they are told.
_NOT_HERE: dict[type[nodes.Node], tuple[str, str]] = {
    nodes.For: ("there are no loops", "a message carries single values"),
    nodes.Call: ("nothing is called", "use a filter: {{ value | filter(argument) }}"),
    nodes.Getattr: ("nothing is looked up inside a value", "add a rule to the trigger's 'values'"),
    nodes.Getitem: ("nothing is looked up inside a value", "add a rule to the trigger's 'values'"),
    nodes.Test: ("'is' is not used", "write {% if name | default('') %}"),
    nodes.Assign: ("nothing is set", OF_RULES),
    nodes.AssignBlock: ("nothing is set", OF_RULES),
    nodes.And: ("a condition is no text", "write {{ 'a' if x > 1 else 'b' }}"),
    nodes.Or: ("a condition is no text", "write {{ name | default('friend') }}"),
    nodes.BinExpr: ("there is no arithmetic", OF_RULES),
    nodes.Neg: ("there is no arithmetic", OF_RULES),
    nodes.Pos: ("there is no arithmetic", OF_RULES),
    nodes.List: ("a list stands only behind 'in'", "write {% if level in ['a', 'b'] %}"),
    nodes.Tuple: ("a list stands only behind 'in'", "write {% if level in ['a', 'b'] %}"),
    nodes.Compare: ("a condition is no text", "write {{ 'a' if x > 1 else 'b' }}"),
    nodes.Not: ("a condition is no text", "write {{ 'a' if x > 1 else 'b' }}"),
}
_ANYTHING_ELSE = ("this is not used in texts", "write words, {{ name }}, {{ name | filter }} and {% if %}")


@dataclass(frozen=True)
class Fault:
    """What is wrong in a line (from 1) of a text, and what to do."""

    line: int
    problem: str
    hint: str


@dataclass(frozen=True)
class Checked:
    """names: of the values that a text may need, each with the first line that says it; faults: what is
    wrong.
    """

    names: Mapping[str, int]
    faults: tuple[Fault, ...]


def check_tree(tree: nodes.Template, kinds: Mapping[str, Kind], currency: str) -> Checked:
    """Check a text. kinds: what its values are, where that is known; currency: the shop's, which ``money``
    uses.
    """
    walk = _Walk(kinds, currency)
    walk.body(tree.body, 0)
    return Checked(walk.names, tuple(dict.fromkeys(walk.faults)))


class _Walk:
    def __init__(self, kinds: Mapping[str, Kind], currency: str) -> None:
        self.faults: list[Fault] = []
        self.names: dict[str, int] = {}
        self._said = 0
        self._kinds = kinds
        self._currency = currency

    def body(self, body: list[nodes.Node], depth: int) -> None:
        """Statements: outputs and ``if``."""
        for one in body:
            if isinstance(one, nodes.Output):
                for part in one.nodes:
                    if isinstance(part, nodes.TemplateData):
                        self._written(part)
                    else:
                        self._output(part, depth)
            elif isinstance(one, nodes.If) and depth < DEEPEST:
                for branch in (one, *one.elif_):
                    self.asked(branch.test, depth + 1)
                    self.body(branch.body, depth + 1)
                self.body(one.else_, depth + 1)
            else:
                self._refuse(one, depth)

    def said(self, node: nodes.Node, depth: int) -> Kind:
        """An expression whose value is written."""
        if depth >= DEEPEST:
            self._refuse(node, depth)
        elif isinstance(node, nodes.Name):
            return self._name(node)
        elif isinstance(node, nodes.Const) or _is_negative(node):
            return self._constant(node)
        elif isinstance(node, nodes.Concat):
            for part in node.nodes:
                self.said(part, depth + 1)
            return TEXT
        elif isinstance(node, nodes.CondExpr):
            return self._choice(node, depth)
        elif isinstance(node, nodes.Filter):
            return self._filter(node, depth)
        else:
            self._refuse(node, depth)
        return ANY

    def asked(self, node: nodes.Node, depth: int) -> None:
        """A condition."""
        if depth >= DEEPEST:
            self._refuse(node, depth)
        elif isinstance(node, nodes.And | nodes.Or):
            self.asked(node.left, depth + 1)
            self.asked(node.right, depth + 1)
        elif isinstance(node, nodes.Not):
            self.asked(node.node, depth + 1)
        elif isinstance(node, nodes.Compare):
            self._compare(node, depth)
        else:
            self.said(node, depth)

    def _output(self, node: nodes.Node, depth: int) -> None:
        if self.said(node, depth).what == "moment" and isinstance(node, nodes.Name):
            hint = f"write {{{{ {node.name} | date }}}}, or time, or datetime"
            self._fault(node, f"'{node.name}' is a date or time, and would be sent as a number", hint)

    def _name(self, node: nodes.Name) -> Kind:
        if node.name in RESERVED:
            self._fault(node, f"'{node.name}' has a meaning of its own", "name the value otherwise")
        self.names.setdefault(node.name, node.lineno)
        self._said += 1
        if self._said == MOST_SAID + 1:
            self._fault(node, f"says more than {MOST_SAID} values", "write a shorter text")
        return self._kinds.get(node.name, ANY)

    def _constant(self, node: nodes.Node) -> Kind:
        value = node.value if isinstance(node, nodes.Const) else 0
        if value is None or isinstance(value, bool | float):
            hint = "write a whole number, or a text in quotes"
            self._fault(node, f"'{str(value).lower()}' is no value of a text", hint)
        elif isinstance(value, int) and value >= LARGEST:
            self._fault(node, "a number does not fit into 64 bits", "write a smaller one")
        return TEXT if isinstance(value, str) else NUMBER

    def _choice(self, node: nodes.CondExpr, depth: int) -> Kind:
        self.asked(node.test, depth + 1)
        first = self.said(node.expr1, depth + 1)
        if node.expr2 is None:
            self._fault(node, "nothing is said otherwise", "add else: {{ 'a' if x > 1 else 'b' }}")
            return first
        return first if first == self.said(node.expr2, depth + 1) else ANY

    def _compare(self, node: nodes.Compare, depth: int) -> None:
        left = self.said(node.expr, depth + 1)
        for one in node.ops:
            inside = one.op in ("in", "notin")
            others = _listed(one.expr) if inside else [one.expr]
            if not others:
                self._fault(one, "'in' needs a list", "write ['a', 'b'] behind it")
            for other in others:
                right = self.said(other, depth + 1)
                texts = [kind.what == "text" for kind in (left, right)]
                if ANY not in (left, right) and texts[0] != texts[1]:
                    hint = "compare texts with texts, numbers with numbers"
                    self._fault(node, f"{IN_WORDS[left.what]} is compared with {IN_WORDS[right.what]}", hint)

    def _filter(self, node: nodes.Filter, depth: int) -> Kind:
        form = FORMS.get(node.name)
        if node.node is None:
            self._refuse(node, depth)
            return ANY
        given = self.said(node.node, depth + 1)
        if form is None:
            self._fault(node, f"there is no filter '{node.name}'", suggest(node.name, FORMS, "filter"))
            return ANY
        if not given.fits(form.takes):
            takes = " or ".join(IN_WORDS[one] for one in sorted(form.takes))
            hint = f"filters that take it: {', '.join(_taking(given))}"
            self._fault(node, f"'{node.name}' takes {takes}, and this is {IN_WORDS[given.what]}", hint)
        for value in said_arguments(node, form):
            self.said(value, depth + 1)
        for problem, hint in wrong_arguments(node, form, given, self._currency):
            self._fault(node, problem, hint)
        return given if form.gives is None else form.gives

    def _written(self, node: nodes.TemplateData) -> None:
        for found in _OTHER_BRACES.finditer(node.data):
            line = node.lineno + node.data.count("\n", 0, found.start())
            name = found[0].strip("{}｛｝ ")
            self.faults.append(Fault(line, f"'{found[0]}' would be sent as it is", f"write {{{{ {name} }}}}"))

    def _refuse(self, node: nodes.Node, depth: int) -> None:
        if depth >= DEEPEST:
            self._fault(node, f"nested deeper than {DEEPEST} levels", "make it flatter")
            return
        for kind, (problem, hint) in _NOT_HERE.items():
            if isinstance(node, kind):
                self._fault(node, problem, hint)
                return
        self._fault(node, *_ANYTHING_ELSE)

    def _fault(self, node: nodes.Node, problem: str, hint: str) -> None:
        self.faults.append(Fault(node.lineno or 1, problem, hint))


def _is_negative(node: nodes.Node) -> bool:
    """A number with a minus is one constant to whoever writes it."""
    return isinstance(node, nodes.Neg) and isinstance(node.node, nodes.Const) and type(node.node.value) is int


def _listed(node: nodes.Node) -> list[nodes.Expr]:
    return node.items if isinstance(node, nodes.List | nodes.Tuple) else []


def _taking(kind: Kind) -> Iterator[str]:
    return (name for name, form in FORMS.items() if kind.fits(form.takes))
