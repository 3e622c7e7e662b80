"""What is wrong with a rule, where, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rules.syntax import Span


class RuleError(ValueError):
    """A rule that its writer must mend.

    ``message`` says what is wrong, ``hint`` what to do, ``line`` and ``column`` where (both from 1,
    columns in characters). The text of the error is ``line:column: message: hint``.
    """

    def __init__(self, message: str, hint: str, line: int = 1, column: int = 1) -> None:
        super().__init__(f"{line}:{column}: {message}: {hint}")
        self.message = message
        self.hint = hint
        self.line = line
        self.column = column


def error_at(span: Span, message: str, hint: str) -> RuleError:
    """Return the error at the start of a span."""
    return RuleError(message, hint, span.line, span.column)


@contextmanager
def about(what: str, span: Span | None = None) -> Iterator[None]:
    """Say of an error inside what it is about; with a span, place it there: its own is in another text."""
    try:
        yield
    except RuleError as wrong:
        line, column = (span.line, span.column) if span else (wrong.line, wrong.column)
        raise RuleError(f"{what}: {wrong.message}", wrong.hint, line, column) from wrong
