"""The rule language is a part of CEL: the specification's own cases, and another implementation, agree."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from rules.bytecode import compile_rule
from rules.check import check_value
from rules.error import RuleError
from rules.parse import parse
from rules.syntax import Binary, Conditional, Literal, Node, Unary, join, walk
from rules.write import write
from tests.rules.clothes_shop import SCHEMA
from tests.rules.machine import Machine, Places
from tests.rules.tree_reading import Customer, evaluate

CASES = Path(__file__).parents[2] / "../shared/data/peers/cel/testdata"
# Why a case of the specification is no rule, by the words of the error; an error of none of these fails.
REFUSED = {
    "unsigned": "unsigned numbers: every number is a signed whole one (M1)",
    "no whole number": "numbers with a point (M5)",
    "bytes are not": "bytes",
    "there is no function": "CEL's functions; conversions among them",
    "is no function": "methods",
    "maps are not": "maps and messages",
    "by number": "picking from a list by number",
    "has(x) whether": "null as a literal: has(x) asks for it (M4)",
    "a list stands alone": "lists are only the right side of in",
    "written out": "lists of anything but written numbers and texts",
    "this is no list": "in over something else than a written list",
    "compare with == or !=": "an order of texts and of truths (M1)",
    "compare like with like": "comparing two types",
    "write 1 without quotes": "comparing two types",
    "put a text between quotes": "comparing two types",
    "of one kind": "two types behind '?'",
    "takes a whole number": "joining texts and lists by +, arithmetic of other types",
    "takes true or false": "conditions that are no truth values",
    "is not declared": "the cases' own variables",
    "is a reserved word": "reserved words: an error in CEL too",
    "methods are not": "methods",
}


@dataclass(frozen=True)
class Case:
    """One case: an expression and the value expected, None where it must fail."""

    name: str
    text: str
    expected: int | str | None


def cases(name: str) -> Iterator[Case]:
    """Read the cases of one file of the specification's tests."""
    for block in re.split(r"^  test \{", (CASES / f"{name}.textproto").read_text("utf-8"), flags=re.M)[1:]:
        text = _quoted(block, r"^    expr:\s*")
        number = r"^    value:?\s*\{\s*(?:int64_value|bool_value):\s*([-\w]+)\s*\}"
        if found := re.search(number, block, re.M):
            value: int | str | None = {"true": 1, "false": 0}.get(found[1])
            yield Case(name, text, int(found[1]) if value is None else value)
        elif re.search(r"^    value:?\s*\{\s*string_value:", block, re.M):
            yield Case(name, text, _quoted(block, r"^    value:?\s*\{\s*string_value:\s*"))
        else:
            yield Case(name, text, None)


def _quoted(block: str, before: str) -> str:
    """Unquote a text of the textproto format: C escapes, which stand for bytes of UTF-8."""
    found = re.search(before + r"""("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')""", block, re.M)
    assert found, block
    simple = {"a": b"\a", "b": b"\b", "f": b"\f", "n": b"\n", "r": b"\r", "t": b"\t", "v": b"\v"}
    out = bytearray()
    for sign, octal, digits, code, other in re.findall(
        r"([^\\])|\\([0-7]{1,3})|\\[xX]([0-9a-fA-F]{1,2})|\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})|\\(.)",
        found[1][1:-1],
        re.S,
    ):
        if octal or digits:
            out.append(int(octal, 8) if octal else int(digits, 16))
        elif code:
            out += chr(int(code[1:], 16)).encode()
        else:
            out += sign.encode() or simple.get(other, other.encode())
    return out.decode("utf-8")


def result(node: Node | str, who: Customer) -> int | str | None:
    """Check, compile and run an expression; a text comes back as a text."""
    checked = check_value(node, SCHEMA)
    places = Places()
    value = Machine(compile_rule(checked, places), places, who).run()
    if checked.type.kind == "text" and value is not None:
        return places.texts[value - 1000]
    return value


@pytest.mark.data
@pytest.mark.skipif(not CASES.is_dir(), reason="the data sets beside the repository are absent")
def test_the_cases_of_the_specification_hold_or_are_refused_for_a_known_reason(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """M4: where CEL fails to evaluate (x / 0, overflow), a rule has null."""
    ran: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    for case in (case for name in ("logic", "integer_math", "comparisons", "parse") for case in cases(name)):
        try:
            value = result(case.text, Customer())
        except RuleError as wrong:
            reasons = [why for words, why in REFUSED.items() if words in f"{wrong.message}: {wrong.hint}"]
            refused[reasons[0] if reasons else f"UNKNOWN {case}: {wrong}"] += 1
            continue
        # what fails in CEL is null here, and a comparison with null has a value
        goes_on = case.expected is None and re.search(r"[/%] ?0", case.text) and value is not None
        assert goes_on or value == case.expected, case
        ran["division by 0"] += bool(goes_on)
        ran[case.name] += not goes_on
    with capsys.disabled():
        lines = [f"{count} of {name} hold" for name, count in ran.items()]
        lines += [f"{count} refused: {why}" for why, count in refused.most_common()]
        sys.stdout.write("\n" + "\n".join(lines) + "\n")
    assert not [why for why in refused if why.startswith("UNKNOWN")]
    assert ran == {"logic": 16, "integer_math": 41, "comparisons": 32, "parse": 88, "division by 0": 5}


numbers = st.integers(-20, 20)
number = st.recursive(
    st.one_of(numbers.map(Literal), st.sampled_from(["customer.level", "rfm.r"]).map(parse)),
    lambda inner: st.one_of(
        st.builds(Binary, st.sampled_from("+-*"), inner, inner),
        st.builds(Binary, st.sampled_from("/%"), inner, numbers.filter(bool).map(Literal)),
        st.builds(Unary, st.just("-"), inner),
    ),
    max_leaves=5,
)
text = st.one_of(st.text(max_size=3).map(Literal), st.just(parse("customer.city")))
truth = st.recursive(
    st.one_of(
        st.builds(Binary, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), number, number),
        st.builds(Binary, st.sampled_from(["==", "!="]), text, text),
        st.builds(Binary, st.just("in"), number, st.just(parse("[1, -2, 3]"))),
        st.builds(Binary, st.just("in"), text, st.just(parse('["上海", "\\n"]'))),
        st.booleans().map(Literal),
    ),
    lambda inner: st.one_of(
        st.builds(join, st.sampled_from(["&&", "||"]), st.lists(inner, min_size=2, max_size=4)),
        st.builds(Unary, st.just("!"), inner),
        st.builds(Conditional, inner, inner, inner),
        st.builds(Binary, st.sampled_from(["==", "!="]), inner, inner),
    ),
    max_leaves=6,
)
values = st.one_of(truth, number, st.builds(Conditional, truth, text, text))


@seed(20241107)
@settings(max_examples=400, deadline=None, database=None)
@given(values, st.integers(-9, 9), st.sampled_from(["上海", "x", "\n"]))
def test_without_nulls_a_rule_is_what_another_cel_makes_of_it(node: Node, level: int, city: str) -> None:
    """The texts that we write are read by the Rust implementation of CEL, and mean the same to it."""
    cel = pytest.importorskip("cel", reason="common-expression-language is not installed")
    if max(depth for _, depth in walk(node)) > 24:
        return
    who = Customer(metrics={"last(members.level)": level, "last(orders.city)": city}, scores={"r": 3})
    known = {"customer": {"level": level, "city": city}, "rfm": {"r": 3}}
    assert result(node, who) == evaluate(node, who) == cel.evaluate(write(node), known)
