"""Which program of the servers comes with which Debian package."""

from __future__ import annotations

import glob
import os
import shutil
from pathlib import Path

LIST = Path(__file__).with_name("debian.txt")
SYSTEM = os.pathsep.join(("/usr/sbin", "/sbin"))  # where Debian puts servers; not on every user's path


def packages() -> dict[str, str]:
    """Return the package of each program, both as debian.txt writes them."""
    lines = [line.split() for line in LIST.read_text(encoding="utf-8").splitlines()]
    return {line[0]: line[1] for line in lines if line and not line[0].startswith("#")}


def find(program: str) -> str | None:
    """Return the path of a program, the newest where several versions fit, or None."""
    if "*" in program:
        return max(glob.glob(program), default=None)
    return shutil.which(program) or shutil.which(program, path=SYSTEM)


def path_of(program: str) -> str:
    """Return the path of a program that `missing` has looked for."""
    found = find(program)
    if found is None:
        raise FileNotFoundError(f"{program} is not installed ({missing(program)})")
    return found


def missing(*programs: str) -> str | None:
    """Return the command that installs what is not there, or None."""
    lacking = sorted({packages()[name] for name in programs if find(name) is None})
    return f"apt-get install --no-install-recommends {' '.join(lacking)}" if lacking else None
