"""A process that is killed again and again, and started again, until it has ended by itself."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def until_it_ends(
    command: Sequence[str], kills: int, pause: Callable[[subprocess.Popen[bytes]], float], patience: float
) -> int:
    """Run ``python -m`` with these words to its end; return how often it was killed, at most ``kills`` times.

    pause: waits for what it likes, and returns for how many seconds more the process may run; the last may
    run for ``patience`` seconds.
    """
    killed = 0
    while True:
        process = subprocess.Popen([sys.executable, "-m", *command], cwd=ROOT)
        try:
            process.wait(pause(process) if killed < kills else patience)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            if killed == kills:
                raise
            killed += 1
            continue
        assert process.returncode == 0
        return killed


def within(chance: random.Random, least: float, most: float) -> Callable[[object], float]:
    """Return a pause of random length, seconds."""
    return lambda _: chance.uniform(least, most)
