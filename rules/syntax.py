"""The syntax tree of a rule, and its canonical text.

Two trees are equal when they say the same, wherever they stood: spans do not count. A chain of ``&&``
(or of ``||``) is one balanced tree, however it was bracketed, so that long chains are not deep; build
it with `join`. ``write`` gives the one canonical text, and ``parse(write(tree)) == tree``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True)
class Span:
    """A stretch of rule text: offsets ``start`` to ``end`` (exclusive), and line and column from 1."""

    start: int = 0
    end: int = 0
    line: int = 1
    column: int = 1


NOWHERE = Span()


@dataclass(frozen=True, eq=False)
class Literal:
    """A whole number (64 bits, signed), a text or a truth value."""

    value: int | str | bool
    span: Span = field(default=NOWHERE, repr=False)

    # 1 == True in Python, but not in a rule: the type belongs to the identity
    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Literal) and type(other.value) is type(self.value) and other.value == self.value
        )

    def __hash__(self) -> int:
        return hash((type(self.value).__name__, self.value))


@dataclass(frozen=True)
class DecimalLiteral:
    """A number with a point, as it was written; the checker refuses it and names the whole number (M5)."""

    text: str
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True)
class ListLiteral:
    """``[a, b, ...]``, the right side of ``in``."""

    items: tuple[Node, ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True)
class Name:
    """A dotted name, such as ``rfm.r`` or ``vip_spend``: its parts in order."""

    parts: tuple[str, ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False)

    def __str__(self) -> str:
        return ".".join(self.parts)


@dataclass(frozen=True)
class Unary:
    """``!x`` or ``-x``."""

    op: str
    operand: Node
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True)
class Binary:
    """``left op right``; op is one of the keys of `LEVELS`."""

    op: str
    left: Node
    right: Node
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True)
class Conditional:
    """``test ? then : otherwise``."""

    test: Node
    then: Node
    otherwise: Node
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True)
class Call:
    """``name(arguments)``."""

    name: str
    arguments: tuple[Node, ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False)


Node: TypeAlias = Literal | DecimalLiteral | ListLiteral | Name | Unary | Binary | Conditional | Call

# how strongly a binary operator binds: the precedence of the CEL specification
LEVELS = {
    "||": 1, "&&": 2,
    "==": 3, "!=": 3, "<": 3, "<=": 3, ">": 3, ">=": 3, "in": 3,
    "+": 4, "-": 4, "*": 5, "/": 5, "%": 5,
}  # fmt: skip
LOGIC = ("&&", "||")
KEYWORDS = frozenset(("true", "false", "null", "in"))
# words the CEL specification keeps for the languages it is embedded in
RESERVED = frozenset((
    "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package",
    "namespace", "return", "var", "void", "while",
))  # fmt: skip
# what people write by habit, and what a rule has for it
SPOKEN = {"and": "&&", "or": "||", "not": "!", "AND": "&&", "OR": "||", "NOT": "!"}


def children(node: Node) -> tuple[Node, ...]:
    """Return the nodes directly below, in the order of the text."""
    match node:
        case ListLiteral():
            return node.items
        case Unary():
            return (node.operand,)
        case Binary():
            return (node.left, node.right)
        case Conditional():
            return (node.test, node.then, node.otherwise)
        case Call():
            return node.arguments
        case _:
            return ()


def walk(node: Node) -> Iterator[tuple[Node, int]]:
    """Yield each node with its depth (the root has 0), parents first, in the order of the text."""
    waiting: list[tuple[Node, int]] = [(node, 0)]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        waiting.extend((child, depth + 1) for child in reversed(children(node)))


def chain(op: str, node: Node) -> list[Node]:
    """Return the items that ``&&`` (or ``||``) joins in a tree; the node itself when it is no such chain."""
    if isinstance(node, Binary) and node.op == op:
        return chain(op, node.left) + chain(op, node.right)
    return [node]


def join(op: str, nodes: Sequence[Node]) -> Node:
    """Join one or more nodes by ``&&`` or ``||`` into the balanced tree of their chain."""
    return _balanced(op, [item for node in nodes for item in chain(op, node)])


def _balanced(op: str, items: Sequence[Node]) -> Node:
    if len(items) == 1:
        return items[0]
    middle = (len(items) + 1) // 2
    left, right = _balanced(op, items[:middle]), _balanced(op, items[middle:])
    return Binary(op, left, right, Span(left.span.start, right.span.end, left.span.line, left.span.column))
