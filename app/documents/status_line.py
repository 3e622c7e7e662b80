"""The line of a trigger's file that says its status, written anew; everything else stays as it is."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from app.documents.yaml_document import parse_yaml
from app.problems import Problems
from streams.errors import InputError

_LINE = re.compile(r"""(status\s*:\s*)("[^"]*"|'[^']*'|[^\s#]+)(.*)""", re.DOTALL)


def with_status(text: str, label: str, status: str) -> str:
    """Return the text of a trigger's file with another status.

    Raises InputError where it cannot be done by one line: where the file is one mapping in braces.

    >>> with_status("when: {enter: vip}\\nstatus: shadow  # since May\\n", "t.yaml", "live")
    'when: {enter: vip}\\nstatus: live  # since May\\n'
    """
    before = parse_yaml(text, label, Problems())
    assert before is not None  # it has been read as a trigger
    assert isinstance(before.value, dict)
    lines = text.splitlines(keepends=True)
    end = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    if "status" in before.value:
        number = before.lines[("status",)] - 1
        lines[number] = _LINE.sub(rf"\g<1>{status}\g<3>", lines[number], count=1)
    else:
        if lines and not lines[-1].endswith(("\n", "\r")):
            lines[-1] += end
        lines.append(f"status: {status}{end}")
    changed = "".join(lines)
    behind = parse_yaml(changed, label, Problems())
    if behind is None or behind.value != {**before.value, "status": status}:
        where = before.where(("status",))
        raise InputError(where, "the status cannot be changed as one line", f"write status: {status} there")
    return changed


def write_status(path: Path, label: str, status: str) -> None:
    """Write a status into a trigger's file; whole or not at all."""
    place = path.resolve()
    text = place.read_bytes().decode()
    changed = with_status(text, label, status)
    beside = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        beside.write_bytes(changed.encode())
        shutil.copymode(place, beside)
        os.replace(beside, place)
    finally:
        beside.unlink(missing_ok=True)
