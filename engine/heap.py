"""Heap sort in place, of whatever stands at places 0 .. n - 1."""

from __future__ import annotations

from collections.abc import Callable

from engine.jit import step

Before = Callable[[int, int, int], bool]
Swap = Callable[[int, int, int], None]


def heap_sort(before: Before, swap: Swap) -> Callable[[int, int], None]:
    """Return a step that sorts n places, given the steps that compare and exchange two of them.

    It takes no memory (Williams, 1964). Both become part of it: a kernel that hands steps over as arguments
    cannot be kept on disk.
    """

    @step
    def sift_down(st: int, i: int, n: int) -> None:
        while True:
            child = 2 * i + 1
            if child >= n:
                return
            if child + 1 < n and before(st, child, child + 1):
                child += 1
            if not before(st, i, child):
                return
            swap(st, i, child)
            i = child

    @step
    def sort(st: int, n: int) -> None:
        for i in range(n // 2 - 1, -1, -1):
            sift_down(st, i, n)
        for last in range(n - 1, 0, -1):
            swap(st, 0, last)
            sift_down(st, 0, last)

    return sort
