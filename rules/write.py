"""The canonical text of a syntax tree: one spacing, one kind of quotes, no bracket too many."""

from __future__ import annotations

from rules.syntax import (
    KEYWORDS,
    LEVELS,
    LOGIC,
    RESERVED,
    SPOKEN,
    Binary,
    Call,
    Conditional,
    DecimalLiteral,
    ListLiteral,
    Literal,
    Name,
    Node,
    Unary,
)

_CONDITIONAL, _UNARY, _PRIMARY = 0, 6, 7  # levels beside those of the binary operators
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def write(node: Node) -> str:
    """Write a tree as rule text; ``parse`` reads the same tree from it.

    >>> from rules.syntax import Binary, Literal, Name
    >>> write(Binary("*", Binary("+", Name(("a",)), Literal(1)), Literal(2)))
    '(a + 1) * 2'
    """
    match node:
        case Literal():
            return write_literal(node.value)
        case DecimalLiteral():
            return node.text
        case ListLiteral():
            return "[" + ", ".join(write(item) for item in node.items) + "]"
        case Name():
            return ".".join(write_name(part) for part in node.parts)
        case Call():
            return f"{write_name(node.name)}({', '.join(write(argument) for argument in node.arguments)})"
        case Unary():
            return node.op + _operand(node)
        case Conditional():
            # the grammar lets a bare ?: stand only behind the colon
            test, then = _at(node.test, 1), _at(node.then, 1)
            return f"{test} ? {then} : {write(node.otherwise)}"
        case Binary():
            level = LEVELS[node.op]
            # a chain of && is one thing however it was bracketed; the other operators join to the left
            right = _at(node.right, level if node.op in LOGIC else level + 1)
            return f"{_at(node.left, level)} {node.op} {right}"


def write_literal(value: int | str | bool) -> str:
    """Write a value as a rule has it.

    >>> write_literal(True), write_literal('say "hi"')
    ('true', '"say \\\\"hi\\\\""')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return '"' + "".join(_character(sign) for sign in value) + '"'


def write_name(part: str) -> str:
    """Write one part of a name, between backticks where it could be read as something else.

    >>> write_name("金额"), write_name("my metric"), write_name("in")
    ('金额', '`my metric`', '`in`')
    """
    kept = part in KEYWORDS or part in RESERVED or part in SPOKEN
    return part if part.isidentifier() and not kept else f"`{part}`"


def _operand(node: Unary) -> str:
    # -(5) is a minus before a number, -5 is a number
    if node.op == "-" and _is_number(node.operand):
        return f"({write(node.operand)})"
    return _at(node.operand, _UNARY)


def _is_number(node: Node) -> bool:
    if isinstance(node, DecimalLiteral):
        return not node.text.startswith("-")
    return isinstance(node, Literal) and type(node.value) is int and node.value >= 0


def _at(node: Node, level: int) -> str:
    text = write(node)
    return text if _level(node) >= level else f"({text})"


def _level(node: Node) -> int:
    match node:
        case Conditional():
            return _CONDITIONAL
        case Binary():
            return LEVELS[node.op]
        case Unary():
            return _UNARY
        case _:
            return _PRIMARY


def _character(sign: str) -> str:
    if sign in _ESCAPES:
        return _ESCAPES[sign]
    return sign if sign.isprintable() else f"\\U{ord(sign):08x}"
