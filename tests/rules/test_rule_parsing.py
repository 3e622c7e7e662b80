"""Rule text to tree and back."""

from __future__ import annotations

import pytest

from rules.error import RuleError
from rules.lex import LONGEST
from rules.parse import DEEPEST, MOST_NODES, parse
from rules.syntax import Binary, Call, Conditional, Literal, Name, Node, Unary, children, walk
from rules.write import write

CANONICAL = {
    'sum(orders.amount,"365d")>=500000&&!("黑名单" in tags)': (
        'sum(orders.amount, "365d") >= 500000 && !("黑名单" in tags)'
    ),
    "a && (b && c) || (d || e)": "a && b && c || d || e",
    "(a || b) && c": "(a || b) && c",
    "a - (b - c) - d": "a - (b - c) - d",
    "(a * b) * (c * d)": "a * b * (c * d)",
    "((a + b)) * 2": "(a + b) * 2",
    "- 5": "-5",
    "-(5)": "-(5)",
    "--5": "--5",
    "-a * b": "-a * b",
    "-(a * b)": "-(a * b)",
    "!(!x)": "!!x",
    "(a < b) == (c < d)": "a < b == (c < d)",
    "x ? y : (z ? 1 : 2)": "x ? y : z ? 1 : 2",
    "x ? (y ? 1 : 2) : 3": "x ? (y ? 1 : 2) : 3",
    "(x ? 1 : 2) ? 3 : 4": "(x ? 1 : 2) ? 3 : 4",
    "(x ? 1 : 2) + 3": "(x ? 1 : 2) + 3",
    "a in [ 1,2, ]": "a in [1, 2]",
    "`我的 指标` + `in` + `金额`": "`我的 指标` + `in` + 金额",
    "a.if.b": "a.`if`.b",
    "0x1F": "31",
    "'it''s'": None,
    "'it\\'s \"here\"\\n'": '"it\'s \\"here\\"\\n"',
    "'''two\nlines'''": '"two\\nlines"',
    "r'\\d'": '"\\\\d"',
    r'"\u4f60\x41\101\U0001F600"': '"你AA😀"',
    "a // why\n > 3 // end": "a > 3",
    "1.50 < -2.5e3": "1.50 < -2.5e3",
}


@pytest.mark.parametrize(("text", "canonical"), CANONICAL.items())
def test_a_rule_has_one_canonical_text(text: str, canonical: str | None) -> None:
    if canonical is None:
        with pytest.raises(RuleError):
            parse(text)
        return
    tree = parse(text)
    assert write(tree) == canonical
    assert parse(canonical) == tree


def test_precedence_is_that_of_the_specification() -> None:
    assert parse("!a || b && c == d + e * -f") == Binary(
        "||",
        Unary("!", Name(("a",))),
        Binary(
            "&&",
            Name(("b",)),
            Binary(
                "==",
                Name(("c",)),
                Binary("+", Name(("d",)), Binary("*", Name(("e",)), Unary("-", Name(("f",))))),
            ),
        ),
    )
    assert parse("a ? b : c ? d : e") == Conditional(
        Name(("a",)), Name(("b",)), Conditional(Name(("c",)), Name(("d",)), Name(("e",)))
    )


def test_true_and_one_are_two_things() -> None:
    assert parse("true") != parse("1")
    assert len({parse("true"), parse("1"), parse("'1'"), parse("1")}) == 3


def test_every_node_knows_where_it_stood() -> None:
    text = 'a.b >= 12 &&\n  count(orders, "30d") in [1, -2] ?\n !x : "文" == `y z`'
    lines = text.split("\n")
    for node, _ in walk(parse(text)):
        span = node.span
        assert lines[span.line - 1][span.column - 1] == text[span.start]
        assert all(span.start <= child.span.start < child.span.end <= span.end for child in children(node))
        if isinstance(node, Name | Literal | Call):
            assert parse(text[span.start : span.end]) == node


WRONG = {
    "": (1, 1, "empty"),
    "  \n ": (1, 1, "empty"),
    "a =\n 3": (1, 3, "=="),
    "a and b": (1, 3, "write &&"),
    "not a": (1, 1, "write !"),
    "a <> b": (1, 4, "not expected"),
    "count(orders，3)": (1, 13, "full-width"),
    "count（orders)": (1, 6, "full-width"),
    "a\u3000> 1": (1, 2, "a blank"),
    "“x” in tags": (1, 1, "write '\"'"),
    "a > 30d": (1, 5, "30d"),
    "a > 3u": (1, 5, "unsigned"),
    "\n a == 'x": (2, 7, "not closed"),
    "'a\nb'": (1, 1, "not closed"),
    '"\\q"': (1, 1, "no escape"),
    '"\\ud800"': (1, 1, "half of a character"),
    '"\\U00110000"': (1, 1, "no character"),
    "a[0]": (1, 2, "by number"),
    "a.b(1)": (1, 1, "methods"),
    "a == null": (1, 6, "has(x)"),
    "(a": (1, 3, "close the bracket"),
    "a)": (1, 2, "should end"),
    "a ? b": (1, 6, "both values"),
    "a ? b ? c : d : e": (1, 7, "both values"),
    "f(a,)": (1, 5, "not expected"),
    "f(a b)": (1, 5, "','"),
    "a.": (1, 3, "after the dot"),
    "while": (1, 1, "reserved"),
    "{1: 2}": (1, 1, "maps"),
    "b'x'": (1, 1, "bytes"),
    "a b": (1, 3, "should end"),
    "9223372036854775808": (1, 1, "64 bits"),
    "-9223372036854775809": (1, 1, "64 bits"),
    "a\x00b": (1, 2, "U+0000"),
}


@pytest.mark.parametrize(("text", "expected"), WRONG.items())
def test_an_error_says_where_and_what_to_do(text: str, expected: tuple[int, int, str]) -> None:
    with pytest.raises(RuleError) as caught:
        parse(text)
    error = caught.value
    assert (error.line, error.column) == expected[:2]
    assert expected[2] in f"{error.message}: {error.hint}"
    assert str(error) == f"{error.line}:{error.column}: {error.message}: {error.hint}"


def test_the_least_number_can_be_written() -> None:
    assert parse("-9223372036854775808") == Literal(-(2**63))


def test_brackets_and_trees_are_limited_in_depth() -> None:
    assert parse("(" * DEEPEST + "a" + ")" * DEEPEST) == Name(("a",))
    many = DEEPEST + 1
    for deep in ("(" * many + "a", "!" * many + "a", "f(" * 2000, "a + " * many + "a"):
        with pytest.raises(RuleError, match="deeper than 32"):
            parse(deep)


def test_a_long_chain_of_conditions_is_not_deep() -> None:
    text = " || ".join(f"a{i} == {i}" for i in range(100))
    tree = parse(text)
    assert max(depth for _, depth in walk(tree)) <= 8
    assert write(tree) == text


def test_rules_are_limited_in_length_and_parts() -> None:
    parse("a" + " " * (LONGEST - 1))
    with pytest.raises(RuleError, match="4001 characters"):
        parse("a" + " " * LONGEST)
    half = MOST_NODES // 2
    parse(" && ".join(["a"] * half))  # n items are 2 n - 1 nodes
    with pytest.raises(RuleError, match="more than 500 parts"):
        parse(" && ".join(["a"] * (half + 1)))


def test_equal_trees_have_equal_texts_and_hashes() -> None:
    one: Node = parse('count( orders , "30d" )')
    two: Node = parse("count(orders,'30d')")
    assert one == two
    assert hash(one) == hash(two)
    assert write(one) == write(two)
