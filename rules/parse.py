"""Tokens to syntax tree: recursive descent with the precedence of the CEL specification."""

from __future__ import annotations

from rules.error import RuleError, error_at
from rules.lex import Token, lex
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
    Span,
    Unary,
    join,
    walk,
)

DEEPEST = 32  # levels of brackets in the text, and of nodes in the tree
MOST_NODES = 500
LARGEST = 2**63 - 1
_SMALLER = "make a part of it a tag or a metric of its own, and use its name"


def parse(text: str) -> Node:
    """Read rule text into a syntax tree.

    Raises RuleError with line, column, reason and what to do; also when the text is longer than 4,000
    characters, nested deeper than 32 levels or has more than 500 parts.
    """
    tokens = lex(text)
    if len(tokens) == 1:
        raise RuleError("the rule is empty", "write a condition such as count(orders) > 0, or true for all")
    parser = _Parser(tokens)
    node = parser.expression()
    if parser.here.kind != "end":
        raise parser.unexpected("the rule should end here")
    for count, (part, depth) in enumerate(walk(node), start=1):
        if depth > DEEPEST:
            raise error_at(part.span, f"the rule is nested deeper than {DEEPEST} levels", _SMALLER)
        if count > MOST_NODES:
            raise error_at(part.span, f"the rule has more than {MOST_NODES} parts", _SMALLER)
    return node


class _Parser:
    """One pass over the tokens; each method reads one form of the grammar and returns its node."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens, self._at, self._depth = tokens, 0, 0

    @property
    def here(self) -> Token:
        return self._tokens[self._at]

    def expression(self) -> Node:
        """``Expr = ConditionalOr ["?" ConditionalOr ":" Expr]``."""
        test = self._binary(1)
        if not self._take("?"):
            return test
        then = self._binary(1)
        self._expect(":", "'a ? b : c' needs both values")
        otherwise = self._nested()
        return Conditional(test, then, otherwise, _cover(test.span, otherwise.span))

    def unexpected(self, hint: str) -> RuleError:
        token = self.here
        if token.kind == "name" and token.text in SPOKEN:
            hint = f"write {SPOKEN[token.text]} for {token.text}"
        elif token.text == "[":
            hint = "picking from a list by number is not part of the rule language"
        elif token.kind == "end":
            return error_at(token.span, "the rule ends too early", hint)
        return error_at(token.span, f"'{token.text}' is not expected here", hint)

    def _nested(self) -> Node:
        self._enter()
        node = self.expression()
        self._depth -= 1
        return node

    def _enter(self) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise error_at(self.here.span, f"the rule is nested deeper than {DEEPEST} levels", _SMALLER)

    def _binary(self, lowest: int) -> Node:
        """The operators that bind at least as strongly as ``lowest``, joined to the left."""
        left = self._unary()
        while (op := self._operator()) and LEVELS[op] >= lowest:
            operands = [left]
            while self._operator() == op:
                self._at += 1
                operands.append(self._binary(LEVELS[op] + 1))
                if op not in LOGIC:
                    break
            span = _cover(left.span, operands[-1].span)
            left = join(op, operands) if op in LOGIC else Binary(op, left, operands[1], span)
        return left

    def _operator(self) -> str:
        token = self.here
        return token.text if token.kind in ("op", "name") and token.text in LEVELS else ""

    def _unary(self) -> Node:
        token = self.here
        if token.kind != "op" or token.text not in ("!", "-"):
            return self._primary()
        self._at += 1
        if token.text == "-" and self.here.kind in ("int", "decimal"):
            return self._number(token)
        self._enter()
        operand = self._unary()
        self._depth -= 1
        return Unary(token.text, operand, _cover(token.span, operand.span))

    def _number(self, minus: Token | None) -> Node:
        token = self.here
        self._at += 1
        span = _cover(minus.span, token.span) if minus else token.span
        if token.kind == "decimal":
            return DecimalLiteral(("-" if minus else "") + token.text, span)
        value = -token.number if minus else token.number
        if not -LARGEST - 1 <= value <= LARGEST:
            raise error_at(span, f"{value} does not fit into 64 bits", f"the largest number is {LARGEST}")
        return Literal(value, span)

    def _primary(self) -> Node:
        token = self.here
        if token.kind in ("int", "decimal"):
            return self._number(None)
        if token.kind == "text":
            self._at += 1
            return Literal(token.text, token.span)
        if self._take("("):
            node = self._nested()
            self._expect(")", "close the bracket")
            return node
        if self._take("["):
            items = self._items("]")
            return ListLiteral(items, _cover(token.span, self._tokens[self._at - 1].span))
        if token.kind in ("name", "quoted"):
            return self._name()
        raise self.unexpected("write a name, a number, a text in quotes, or a metric such as count(orders)")

    def _items(self, closing: str) -> tuple[Node, ...]:
        items: list[Node] = []
        while not self._take(closing):
            if items:
                self._expect(",", f"write ',' between two values and '{closing}' at the end")
                # CEL lets a list (not a call) end with a comma
                if closing == "]" and self._take(closing):
                    break
            items.append(self._nested())
        return tuple(items)

    def _name(self) -> Node:
        first = self.here
        self._at += 1
        if first.kind == "name" and first.text in ("true", "false"):
            return Literal(first.text == "true", first.span)
        if first.kind == "name" and first.text in KEYWORDS | RESERVED | SPOKEN.keys():
            self._at -= 1
            raise self.unexpected(_word_hint(first.text))
        parts, last = [first.text], first
        while self._take("."):
            last = self.here
            if last.kind != "quoted" and (last.kind != "name" or last.text in KEYWORDS):
                raise self.unexpected("write a name after the dot")
            self._at += 1
            parts.append(last.text)
        if self.here.kind == "op" and self.here.text == "(":
            return self._call(parts, first)
        return Name(tuple(parts), _cover(first.span, last.span))

    def _call(self, parts: list[str], first: Token) -> Node:
        if len(parts) > 1:
            hint = "methods are not part of the rule language"
            raise error_at(first.span, f"'{'.'.join(parts)}' is no function", hint)
        self._at += 1
        arguments = self._items(")")
        return Call(parts[0], arguments, _cover(first.span, self._tokens[self._at - 1].span))

    def _take(self, op: str) -> bool:
        if self.here.kind == "op" and self.here.text == op:
            self._at += 1
            return True
        return False

    def _expect(self, op: str, hint: str) -> None:
        if not self._take(op):
            raise self.unexpected(hint)


def _word_hint(word: str) -> str:
    if word == "null":
        return "ask has(x) whether x has a value, or !has(x)"
    if word == "in":
        return "a value stands before 'in', such as \"vip\" in tags"
    return f"'{word}' is a reserved word; write `{word}` in backticks when it is a name"


def _cover(first: Span, last: Span) -> Span:
    return Span(first.start, last.end, first.line, first.column)
