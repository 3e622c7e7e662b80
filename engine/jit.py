"""How the kernel is compiled: one decorator, one cache folder, two switches.

``NUMBA_DISABLE_JIT=1`` runs the same functions as plain Python. ``TINTYPE_BOUNDS=1`` makes every access
to the state check its index. The cache folder is named by a hash of all kernel sources, because numba
looks only at the file of the outermost function.
"""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba.core import codegen

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


@functools.cache
def program_hash() -> str:
    """Return a hash of all code that documents depend on: another program's are not taken for ours."""
    digest = hashlib.sha256(numba.__version__.encode())
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


if "NUMBA_CACHE_DIR" not in os.environ:
    numba.config.CACHE_DIR = str(ROOT / ".cache" / "numba" / source_hash())

F = TypeVar("F", bound=Callable[..., Any])
_steps: set[str] = set()
_entries: set[str] = set()


def _optimize_entries_only() -> None:
    """Let LLVM's optimizer see a step only inside the functions that Python calls.

    numba optimizes every function by itself and again inside each of its callers, so that a step eight
    calls deep is optimized eight times: 80 s for this kernel, against 40 s so, with the same code at the end.
    """
    optimize = codegen.CPUCodeLibrary._optimize_final_module

    def optimize_unless_step(library: Any) -> None:
        if library.name in _entries or library.name not in _steps:
            optimize(library)

    codegen.CPUCodeLibrary._optimize_final_module = optimize_unless_step


_optimize_entries_only()


def step(function: F) -> F:
    """Compile one step of the kernel, to be called and inlined by others."""
    _steps.add(function.__name__)
    return numba.njit(function, error_model="numpy")  # type: ignore[no-any-return]


def inlined(function: F) -> F:
    """Compile a very small step that must become part of its caller."""
    _steps.add(function.__name__)
    return numba.njit(function, error_model="numpy", forceinline=True)  # type: ignore[no-any-return]


def entry(function: F) -> F:
    """Compile a function that Python calls; its machine code is kept on disk."""
    _entries.add(function.__name__)
    return numba.njit(function, error_model="numpy", cache=True, nogil=True)  # type: ignore[no-any-return]
