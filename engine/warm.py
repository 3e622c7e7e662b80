"""Compile the kernel and keep its machine code in the checkout: the last step of the installation.

Every entry point is compiled for its signature, in two processes; nothing is run.
"""

from __future__ import annotations

import subprocess
import sys
import time

from numba.core import types

from engine import kernel

GROUPS = (
    ("apply", "begin", "skip_to", "find_number", "start_timer", "put_fact", "place_customers",
     "forget_entries", "place_entries", "refill_distinct", "refill_facts", "collect", "evaluate"),
    ("close_minute", "open_minute", "activate", "rescore", "peek"),
)  # fmt: skip


def compile_group(names: tuple[str, ...]) -> None:
    """Compile some entry points; what is in the cache already is only loaded."""
    for name in names:
        function = getattr(kernel, name)
        arguments = function.py_func.__code__.co_argcount
        function.compile((types.int64,) * arguments)


def load() -> None:
    """Load everything that was compiled, or compile it: before anybody waits for an answer."""
    for names in GROUPS:
        if hasattr(getattr(kernel, names[0]), "compile"):  # else it runs uncompiled
            compile_group(names)


def main() -> None:
    """Compile all groups, the others in processes of their own."""
    if len(sys.argv) > 1:
        compile_group(GROUPS[int(sys.argv[1])])
        return
    began = time.monotonic()
    others = [subprocess.Popen([sys.executable, "-m", "engine.warm", str(i)]) for i in range(1, len(GROUPS))]
    compile_group(GROUPS[0])
    if any(process.wait() for process in others):
        sys.exit("the kernel did not compile: see above")
    print(f"kernel compiled in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
