"""Rule text to tokens: the lexical half of the CEL specification's grammar."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from rules.error import RuleError, error_at
from rules.quote import read_text
from rules.syntax import Span

LONGEST = 4000  # characters of a rule
OPERATORS = ("&&", "||", "==", "!=", "<=", ">=", *"<>!+-*/%?:()[],.")
_BLANK = re.compile(r"(?:[ \t\r\n\f]+|//[^\n]*)+")
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]+|[0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]+)?", re.ASCII)
_TEXT = re.compile(r"[rR]?(?:'''|\"\"\"|'|\")")
_BACKTICK = re.compile(r"`([^`\r\n]+)`")
_INSTEAD = {
    "=": "compare with '=='", "&": "write '&&' for and", "|": "write '||' for or",
    "{": "maps are not part of the rule language", "}": "maps are not part of the rule language",
    ";": "a rule is one expression", "“": "write '\"'", "”": "write '\"'", "‘": "write \"'\"",
    "’": "write \"'\"", "、": "write ','", "。": "write '.'", "`": "a quoted name ends with '`' on its line",
}  # fmt: skip


@dataclass(frozen=True)
class Token:
    """One token. ``kind``: ``int``, ``decimal``, ``text``, ``name``, ``quoted`` (a name in backticks),
    ``op`` or ``end``; ``text`` is its text, without quotes where it has them; ``number`` the value of an int.
    """

    kind: str
    text: str
    span: Span
    number: int = 0


def lex(text: str) -> list[Token]:
    """Cut rule text into tokens; the last one is ``end``.

    Raises RuleError where no token begins, and for a text longer than `LONGEST` characters.
    """
    if len(text) > LONGEST:
        hint = "make parts of it tags or metrics of their own, and use their names"
        raise RuleError(f"the rule has {len(text)} characters, the limit is {LONGEST}", hint)
    tokens: list[Token] = []
    at, lines = 0, _Lines(text)
    while True:
        if blank := _BLANK.match(text, at):
            at = blank.end()
        if at == len(text):
            return [*tokens, Token("end", "", lines.span(at, at))]
        token = _token(text, at, lines)
        tokens.append(token)
        at = token.span.end


class _Lines:
    """Finds the line and column of an offset; offsets are asked for in rising order."""

    def __init__(self, text: str) -> None:
        self._text, self._line, self._begin = text, 1, 0

    def span(self, start: int, end: int) -> Span:
        while (newline := self._text.find("\n", self._begin, start)) >= 0:
            self._line, self._begin = self._line + 1, newline + 1
        return Span(start, end, self._line, start - self._begin + 1)


def _token(text: str, at: int, lines: _Lines) -> Token:
    here = lines.span(at, at + 1)
    if found := _TEXT.match(text, at):
        value, end = read_text(text, at, found[0], here)
        return Token("text", value, lines.span(at, end))
    if found := _NUMBER.match(text, at):
        return _number(text, lines.span(at, found.end()))
    if text[at].isidentifier():
        end = at + 1
        while end < len(text) and ("a" + text[end]).isidentifier():
            end += 1
        if text[at:end].lower() in ("b", "br", "rb") and text[end : end + 1] in ("'", '"'):
            raise error_at(here, "bytes are not part of the rule language", "write a plain text in quotes")
        return Token("name", text[at:end], lines.span(at, end))
    if found := _BACKTICK.match(text, at):
        return Token("quoted", found[1], lines.span(at, found.end()))
    for op in OPERATORS:
        if text.startswith(op, at):
            return Token("op", op, lines.span(at, at + len(op)))
    raise _strange(text[at], here)


def _number(text: str, span: Span) -> Token:
    written, after = text[span.start : span.end], text[span.end : span.end + 1]
    if after in ("u", "U"):
        raise error_at(span, f"'{written}{after}' is an unsigned number", f"write {written}")
    if after and ("a" + after).isidentifier():
        hint = 'write the digits alone; a length of time is a text, such as "30d"'
        raise error_at(span, f"'{written}{after}' is no number", hint)
    if written[:2] in ("0x", "0X"):
        return Token("int", written, span, int(written, 16))
    if written.isdigit():
        return Token("int", written, span, int(written))
    return Token("decimal", written, span)


def _strange(sign: str, span: Span) -> RuleError:
    narrow = unicodedata.normalize("NFKC", sign)
    if sign in _INSTEAD:
        return error_at(span, f"'{sign}' is not understood here", _INSTEAD[sign])
    if narrow != sign and narrow.isascii():
        what = "a blank" if narrow == " " else f"'{narrow}'"
        return error_at(span, f"'{sign}' is a full-width sign", f"write {what} in its narrow form")
    shown = sign if sign.isprintable() else f"U+{ord(sign):04X}"
    return error_at(span, f"'{shown}' is not understood here", "remove it, or put it between quotes")
