"""How the kernel is compiled: one decorator, one cache folder, two switches.

``NUMBA_DISABLE_JIT=1`` runs the same functions as plain Python. ``TINTYPE_BOUNDS=1`` makes every access
to the state check its index. The cache folder is named by a hash of all kernel sources, because numba
looks only at the file of the outermost function.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("engine", "profiles", "rfm", "rules", "tags", "triggers")

COMPILED = not numba.config.DISABLE_JIT
CHECKED = os.environ.get("TINTYPE_BOUNDS") == "1"


def source_hash() -> str:
    """Return a hash of all compiled code and of what it was compiled with."""
    digest = hashlib.sha256(numba.__version__.encode() + (b"checked" if CHECKED else b""))
    for package in PACKAGES:
        for path in sorted((ROOT / package).glob("*.py")):
            source = path.read_bytes()
            if b"from engine.jit import" in source or path.name in ("state.py", "opcodes.py", "jit.py"):
                digest.update(source)
    return digest.hexdigest()[:16]


if "NUMBA_CACHE_DIR" not in os.environ:
    numba.config.CACHE_DIR = str(ROOT / ".cache" / "numba" / source_hash())

F = TypeVar("F", bound=Callable[..., Any])


def step(function: F) -> F:
    """Compile one step of the kernel, to be called and inlined by others."""
    return numba.njit(function, error_model="numpy")  # type: ignore[no-any-return]


def inlined(function: F) -> F:
    """Compile a very small step that must become part of its caller."""
    return numba.njit(function, error_model="numpy", forceinline=True)  # type: ignore[no-any-return]


def entry(function: F) -> F:
    """Compile a function that Python calls; its machine code is kept on disk."""
    return numba.njit(function, error_model="numpy", cache=True, nogil=True)  # type: ignore[no-any-return]
