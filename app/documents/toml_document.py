"""Read TOML with line numbers.

The standard library's reader gives values without lines; a second look at the text finds the line of each
table and key. What that look misses only makes an error name the table's line instead of the key's.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from app.documents.document import Document, Place, read_text
from app.problems import Problems

_AT_LINE = re.compile(r"\(at line (\d+), column \d+\)|\(at end of document\)")
_TABLE = re.compile(r"^\s*\[\s*([^\[\]]+?)\s*\]\s*(?:#.*)?$")
_KEY = re.compile(r"""^\s*("(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+)\s*=""")


def read_toml(path: Path, label: str, problems: Problems) -> Document | None:
    """Read one TOML file. Returns None, after adding a problem, where it cannot be read."""
    text = read_text(path, label, problems)
    return None if text is None else parse_toml(text, label, problems)


def parse_toml(text: str, label: str, problems: Problems) -> Document | None:
    """Read TOML from text; ``label`` names it in errors.

    >>> document = parse_toml('name = "a"\\n[groups]\\nvalue = []', "tintype.toml", Problems())
    >>> document.where(("groups", "value"))
    'tintype.toml:3'
    """
    try:
        value = tomllib.loads(text)
    except RecursionError:
        problems.add(f"{label}:1", "nested too deeply", "flatten it")
        return None
    except ValueError as error:  # TOMLDecodeError, or a number of thousands of digits
        found = _AT_LINE.search(str(error))
        line = int(found[1]) if found and found[1] else text.count("\n") + 1
        reason = _AT_LINE.sub("", str(error)).strip()
        problems.add(f"{label}:{line}", f"is no TOML ({reason})", "text stands in quotes, lists in [ ]")
        return None
    return Document(label, value, *_find_lines(text))


def _find_lines(text: str) -> tuple[dict[Place, int], dict[Place, int]]:
    lines: dict[Place, int] = {(): 1}
    table: Place = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if heading := _TABLE.match(line):
            table = tuple(part.strip().strip("\"'") for part in heading[1].split("."))
            lines.setdefault(table, number)
        elif key := _KEY.match(line):
            lines.setdefault((*table, key[1].strip("\"'")), number)
    return lines, dict(lines)
