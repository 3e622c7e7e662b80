"""NumPy's sort with the instructions that it chooses and with those that Tintype lets it use.

``python -m bench.sorts`` prints both, each measured in a process of its own: 10 M random whole numbers, the
best of five, process CPU.
"""

from __future__ import annotations

import os
import subprocess
import sys

from app.processor import SLOW_THERE, VARIABLE, compresses_slowly

_MEASURE = "from bench.figures import Machine; print(Machine().sort)"


def main() -> None:
    """Print seconds, and their ratio."""
    own, told = _seconds(""), _seconds(SLOW_THERE)
    print(f"np.sort of 10 M numbers: {own:.3f} s; without {SLOW_THERE}: {told:.3f} s; ratio {own / told:.2f}")
    print(f"chosen at start-up on this machine: {SLOW_THERE if compresses_slowly() else 'nothing'}")


def _seconds(disabled: str) -> float:
    environment = {**os.environ, VARIABLE: disabled}
    measured = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", _MEASURE], env=environment, check=True, stdout=subprocess.PIPE
    )
    return float(measured.stdout)


if __name__ == "__main__":
    main()
