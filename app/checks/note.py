"""What ``tintype check`` says of a folder without being an error."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Note:
    """Something to know. where: ``file:line``."""

    where: str
    note: str
    hint: str
