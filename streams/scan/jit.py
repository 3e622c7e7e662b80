"""How the scanner is compiled: like the kernel, but kept in a folder of its own.

So that a change of the scanner does not compile the kernel anew. The folder is named by a hash of this
package, because numba looks only at the file of the outermost function.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba

from engine.jit import COMPILED, ROOT, inlined

F = TypeVar("F", bound=Callable[..., Any])


def scan_entry(function: F) -> F:
    """Compile a function that Python calls; its machine code is kept on disk."""
    kernel = numba.config.CACHE_DIR
    if "NUMBA_CACHE_DIR" not in os.environ:
        numba.config.CACHE_DIR = str(ROOT / ".cache" / "numba" / f"scan-{_source_hash()}")
    try:
        return numba.njit(function, error_model="numpy", cache=True, nogil=True)  # type: ignore[no-any-return]
    finally:
        numba.config.CACHE_DIR = kernel


def _source_hash() -> str:
    digest = hashlib.sha256(numba.__version__.encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


__all__ = ["COMPILED", "inlined", "scan_entry"]
