"""The kernel in its other forms: plain Python, every index checked; and that it counts no references."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest
from numba.core import types

from engine import kernel
from engine.jit import COMPILED
from tests.laws.effort import LONG

ROOT = Path(__file__).resolve().parents[2]
SMALL_RUN = """
from random import Random
from engine import memory
from reference.compare import compare
from reference.history import History
from reference.recompute import recompute_many
from tests.laws.run import Run
from tests.laws.shops import small
from tests.laws.world import DELETE, IMPORT, LIVE, UPSERT, Writer, frames_of

memory.FIRST |= {"customer": 2, "row": 4, "entry": 4, "list": 8, "distinct": 16, "fact": 4, "timer": 4}
random = Random(7)
world = small(0)
writer = Writer(world.place.start, IMPORT)
for i in range(WORLD):
    if i == WORLD // 2:
        writer.wait(1500)
        writer.mode = LIVE
    writer.wait(random.choice([0, 0, 1, 5]))
    source = random.choice(["orders", "orders", "views", "clicks"])
    said = {"seconds": random.randrange(4), "page": random.choice("ab")}
    if source == "orders":
        said = {"amount": random.randrange(-2, 9), "price": 100, "gift": i % 2}
        said["status"] = random.choice(["x", "y", None])
    op = random.choice([UPSERT, UPSERT, UPSERT, DELETE])
    event = writer.minute - random.choice([0, 0, 3, 1440])
    writer.row(source, random.randrange(9), random.randrange(5), op, event, **said)
    if i % 9 == 4:
        joined = world.place.midnight(world.place.begin.date())
        writer.row("members", i % 3, i % 3, joined=joined, city="上海", vip=True)
writer.wait(20)
writer.tick()
history = History(world.pieces, *frames_of(world, writer.log, 4))
run = Run(world, 4).feed(writer.log)
last = writer.log[-1].minute
for recomputed in recompute_many(history, [last - 40, last - 20, last], replay=history.customers.ids):
    assert [str(one) for one in compare(recomputed, run.to(recomputed.minute).held())] == []
print(*run.digest)
"""


def outcome(count: int, **switches: str) -> str:
    """Return the digests of a small run in a process of its own."""
    code = f"WORLD = {count}\n{SMALL_RUN}"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | switches,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.strip()


def test_plain_python_gives_the_same_bytes_as_machine_code() -> None:
    """L1, L3: NUMBA_DISABLE_JIT=1; a difference would be a 64-bit habit of either."""
    assert outcome(40, NUMBA_DISABLE_JIT="1") == outcome(40)


@pytest.mark.skipif(not LONG, reason="its kernel takes a minute to compile: make test-long")
def test_no_index_leaves_its_column() -> None:
    """L1, L3: TINTYPE_BOUNDS=1 checks every access of machine code, as plain Python does above."""
    assert outcome(120, TINTYPE_BOUNDS="1") == outcome(120)


def machine_code(name: str) -> bytes:
    """Return the machine code of an entry point as it lies in the cache (compiled now where it does not)."""
    function = getattr(kernel, name)
    function.compile((types.int64,) * function.py_func.__code__.co_argcount)
    kept = list(Path(numba.config.CACHE_DIR).glob(f"**/kernel.{name}-*.nbc"))
    assert kept
    return b"".join(path.read_bytes() for path in kept)


def counts_references(code: bytes) -> bool:
    return b"NRT_incref" in code or b"NRT_decref" in code


@pytest.mark.skipif(not COMPILED, reason="compilation is switched off")
@pytest.mark.parametrize(
    "name", ["apply", "open_minute", "close_minute", "rescore", "peek", "skip_to", "activate"]
)
def test_the_kernel_counts_no_references(name: str) -> None:
    """No array object enters compiled code: its machine code calls nothing that counts references."""
    assert not counts_references(machine_code(name))


@pytest.mark.skipif(not COMPILED, reason="compilation is switched off")
def test_counting_would_be_seen_in_machine_code() -> None:
    """The same search finds it where arrays are handed on."""

    @numba.njit  # type: ignore[untyped-decorator, unused-ignore]  # numba has no types
    def hand_on(count: int) -> object:
        held = [np.zeros(count)]
        held.append(held[0])
        return held[1]

    hand_on(3)
    (compiled,) = hand_on.overloads.values()
    assert counts_references(compiled.library._get_compiled_object())
