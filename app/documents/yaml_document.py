"""Read YAML with line numbers, without the parts of YAML that surprise.

Only mappings, lists and scalars: anchors, aliases, tags and doubled keys are refused. A plain scalar is null,
``true`` or ``false``, a whole number, or text: ``on``, ``12:30``, ``2026-03-01``, ``0042`` and ``19.90`` stay
the text they are, because no time, octal number or float is meant anywhere in a shop's folder.
"""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from app.documents.document import Document, Place, read_text
from app.problems import Problems

DEEPEST = 20  # levels; the deepest declaration has seven
_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]{0,18})")
_WORDS: dict[str, object] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip


def read_yaml(path: Path, label: str, problems: Problems) -> Document | None:
    """Read one YAML file. Returns None, after adding problems, where it cannot be read."""
    text = read_text(path, label, problems)
    return None if text is None else parse_yaml(text, label, problems)


def parse_yaml(text: str, label: str, problems: Problems) -> Document | None:
    """Read YAML from text; ``label`` names it in errors.

    >>> parse_yaml("at: 09:30\\nbins: 5", "rfm.yaml", Problems()).value
    {'at': '09:30', 'bins': 5}
    """
    builder = _Builder(label, problems)
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if not builder.take(event):
                return None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        problems.add(
            f"{label}:{line}", f"is no YAML ({error.problem})", "check indentation, colons and quotes"
        )
        return None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        problems.add(f"{label}:{line}", "holds a control character", "remove it")
        return None
    return None if builder.failed else builder.document


class _Builder:
    """Builds the values from parser events, with a stack instead of recursion."""

    def __init__(self, label: str, problems: Problems) -> None:
        self.document = Document(label, None)
        self.failed = False
        self._problems = problems
        self._documents = 0
        self._stack: list[tuple[dict[str, object] | list[object], Place]] = []
        self._keys: list[str | None] = []  # the key that waits for its value, one per open collection

    def take(self, event: Event) -> bool:
        """Take one event; False where reading on makes no sense."""
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, DocumentStartEvent):
            self._documents += 1
            return self._documents == 1 or self._refuse(
                line, "a second document begins", "one document a file"
            )
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None) is not None:
            return self._refuse(
                line, "anchors and aliases (& and *) are not used here", "write the value out"
            )
        tag = getattr(event, "tag", None)
        if tag is not None:
            return self._refuse(line, f"the tag {tag} is not used here", "write the plain value")
        if isinstance(event, (MappingStartEvent, SequenceStartEvent)):
            return self._open({} if isinstance(event, MappingStartEvent) else [], line)
        if isinstance(event, (MappingEndEvent, SequenceEndEvent)):
            self._stack.pop()
            self._keys.pop()
        elif isinstance(event, ScalarEvent):
            self._scalar(event, line)
        return True

    def _refuse(self, line: int, problem: str, hint: str) -> bool:
        self._problems.add(f"{self.document.label}:{line}", problem, hint)
        self.failed = True
        return False

    def _open(self, value: dict[str, object] | list[object], line: int) -> bool:
        if len(self._stack) >= DEEPEST:
            return self._refuse(line, f"nested deeper than {DEEPEST} levels", "flatten it")
        if self._stack and isinstance(self._stack[-1][0], dict) and self._keys[-1] is None:
            return self._refuse(line, "a key must be text", "write a plain key")
        self._stack.append((value, self._put(value, line)))
        self._keys.append(None)
        return True

    def _scalar(self, event: ScalarEvent, line: int) -> None:
        if self._stack and isinstance(self._stack[-1][0], dict) and self._keys[-1] is None:
            self._key(event.value, line)
            return
        if any("\ud800" <= sign <= "\udfff" for sign in event.value):
            self._refuse(line, "holds half of a character", "write both halves, or neither")
        plain = event.implicit[0]
        value = _resolve(event.value) if plain else event.value
        place = self._put(value, line)
        self.document.texts[place] = line + 1 if event.style in ("|", ">") else line

    def _key(self, key: str, line: int) -> None:
        parent, place = self._stack[-1]
        assert isinstance(parent, dict)
        if key in parent:
            first = self.document.lines[(*place, key)]
            self._refuse(line, f"key '{key}' stands twice", f"keep one; the first is in line {first}")
        else:
            self.document.lines[(*place, key)] = line
        self._keys[-1] = key

    def _put(self, value: object, line: int) -> Place:
        if not self._stack:
            self.document.value = value
            self.document.lines[()] = line
            return ()
        parent, place = self._stack[-1]
        if isinstance(parent, list):
            own: Place = (*place, len(parent))
            parent.append(value)
            self.document.lines[own] = line
            return own
        key = self._keys[-1]
        assert key is not None
        parent[key] = value
        self._keys[-1] = None
        return (*place, key)


def _resolve(text: str) -> object:
    if text in _WORDS:
        return _WORDS[text]
    return int(text) if _WHOLE.fullmatch(text) else text
