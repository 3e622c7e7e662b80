"""The examples of the law's text run."""

from __future__ import annotations

import doctest
from pathlib import Path

SEMANTICS = Path(__file__).resolve().parents[2] / "docs" / "semantics.md"


def test_every_code_line_of_the_semantics_gives_what_it_says() -> None:
    found = doctest.testfile(str(SEMANTICS), module_relative=False)
    assert found.attempted >= 40  # the document has not lost its examples
    assert found.failed == 0
