"""Messages of the change feeds beside the repository (``shared/data/cdc``), one by one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "cdc"
_KEYED = ("debezium-bson", "debezium-avro")  # a line with the key before each line with the value
_UNQUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|([A-Za-z_][A-Za-z_0-9]*)(?=\s*:)')


@dataclass(frozen=True)
class Fixture:
    """One message: ``form`` is the format it should be declared as."""

    file: str
    number: int
    form: str
    key: bytes | None
    value: bytes | None


def fixtures(folder: Path = FOLDER) -> Iterator[Fixture]:
    """Yield every message of every file, in order of their names."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        form = next((word for word in ("canal", "maxwell") if word in name), "debezium")
        text = _without_licence(path.read_text(encoding="utf-8", errors="surrogateescape"))
        for number, (key, value) in enumerate(_messages(name, text), start=1):
            yield Fixture(name, number, form, key, value)


def _without_licence(text: str) -> str:
    end = text.find("*/") if text.startswith("/*") else -1
    return text[end + 2 :].lstrip() if end >= 0 else text


def _bytes(text: str) -> bytes | None:
    return text.encode("utf-8", errors="surrogateescape") or None


def _messages(name: str, text: str) -> Iterator[tuple[bytes | None, bytes | None]]:
    if name.startswith("maxwell/"):
        for value in _maxwell(text):
            yield None, _bytes(value)
        return
    lines = [line for line in text.splitlines() if line.strip()]
    if any(word in name for word in _KEYED):
        for key, value in zip(lines[::2], lines[1::2], strict=True):
            yield _bytes(key), _bytes(value)
    elif name.startswith("risingwave/") and name.endswith(".result"):
        for line in lines:
            key, _, value = line.partition("\t")
            yield _bytes(key), _bytes(value)
    elif any("^" in line for line in lines) and name.startswith("risingwave/"):
        for line in lines:
            key, _, value = line.partition("^")
            yield _bytes(key), _bytes(value)
    else:
        for value in _values(text, lines):
            yield None, _bytes(value)


def _values(text: str, lines: list[str]) -> Iterator[str]:
    """Yield documents one after the other, or lines where the text is none."""
    found = list(_documents(text))
    if found:
        yield from found
    elif len(lines) > 1 and all(
        line.lstrip().startswith("{") and line.rstrip().endswith("}") for line in lines
    ):
        yield from lines
    else:
        yield text


def _documents(text: str) -> Iterator[str]:
    at = 0
    parts = []
    while at < len(text):
        try:
            _, end = json.JSONDecoder().raw_decode(text, at)
        except ValueError:
            return
        parts.append(text[at:end])
        at = end + len(text[end:]) - len(text[end:].lstrip())
    yield from _inside(parts)


def _inside(parts: list[str]) -> Iterator[str]:
    """Yield the parts, and of a file of expectations what is expected."""
    for part in parts:
        tree: Any = json.loads(part)
        if isinstance(tree, dict) and "expected_binlog" in tree:
            yield from (json.dumps(inner, ensure_ascii=False) for inner in tree.values())
        else:
            yield part


def _maxwell(text: str) -> Iterator[str]:
    """Yield what Maxwell's tests expect behind each arrow; names are quoted as Maxwell itself does."""
    expected = text.split("->")[1:]
    if not expected:
        yield text
    for part in expected:
        value = _first_object(part)
        try:
            json.loads(value)
        except ValueError:
            value = _UNQUOTED.sub(lambda found: f'"{found[1]}"' if found[1] else found[0], value)
        yield value


def _first_object(text: str) -> str:
    depth = 0
    for at, sign in enumerate(text):
        depth += {"{": 1, "}": -1}.get(sign, 0)
        if sign == "}" and depth == 0:
            return text[: at + 1].strip()
    return text.strip()
