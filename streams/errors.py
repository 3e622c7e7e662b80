"""The one error of bad input: where it is, what is wrong, and what to do."""

from __future__ import annotations


class InputError(Exception):
    """Input that breaks the rules: theirs to mend, not ours.

    where: ``file:line``, a file, a folder or a source; problem: what is wrong; hint: what to do.
    Its text is ``where: problem: hint``.

    >>> print(InputError("orders.csv:7", "'12,5' is no whole number", "write 12"))
    orders.csv:7: '12,5' is no whole number: write 12
    """

    def __init__(self, where: str, problem: str, hint: str) -> None:
        super().__init__(where, problem, hint)
        self.where = where
        self.problem = problem
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}: {self.hint}"
