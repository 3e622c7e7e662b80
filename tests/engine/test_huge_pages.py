"""Large columns lie in huge pages where the system has them."""

from __future__ import annotations

import mmap
from pathlib import Path

import pytest

from engine.memory import HUGE_PAGES, zeros


@pytest.mark.skipif(not hasattr(mmap, "MADV_HUGEPAGE"), reason="no system with huge pages")
def test_large_columns_lie_in_memory_that_gets_huge_pages() -> None:
    """Private memory that was advised: shared memory, Python's default, is a file and gets none."""
    held = zeros(HUGE_PAGES)
    address = held.ctypes.data
    flags: list[str] = []
    inside = False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        head = line.split()[0]
        if "-" in head and not head.endswith(":"):
            first, last = (int(place, 16) for place in head.split("-"))
            inside = first <= address < last
            flags += [line.split()[1]] if inside else []
        elif inside and head == "VmFlags:":
            flags += line.split()[1:]
    assert flags[0].endswith("p")
    assert "hg" in flags
