"""Which instructions NumPy may use: chosen before it is imported, where its own choice is a bad one.

NumPy's sort for AVX-512 stores compressed vectors, which AMD's fourth generation (family 25) does in
microcode: it sorts five times slower there than with AVX2 (docs/performance.md), and cut points are mostly
sorting.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from pathlib import Path

VARIABLE = "NPY_DISABLE_CPU_FEATURES"  # of NumPy; who sets it has chosen
SLOW_THERE = "AVX512_ICL X86_V4"
CPU_INFO = Path("/proc/cpuinfo")
_AMD_ZEN_3_AND_4 = ("AuthenticAMD", "25")  # of these only the fourth generation has AVX-512


def choose_instructions(environment: MutableMapping[str, str], cpu_info: Path = CPU_INFO) -> None:
    """Let NumPy, here and in child processes, sort with AVX2 where that is faster; results are the same."""
    if VARIABLE not in environment and compresses_slowly(cpu_info):
        environment[VARIABLE] = SLOW_THERE


def compresses_slowly(cpu_info: Path = CPU_INFO) -> bool:
    """Whether the first processor has AVX-512, but stores compressed vectors slowly; False where unknown."""
    try:
        first = cpu_info.read_text(encoding="utf-8", errors="replace").partition("\n\n")[0]
    except OSError:  # another system than Linux
        return False
    pairs = (line.partition(":") for line in first.splitlines())
    said = {name.strip(): value.strip() for name, _, value in pairs}
    model = (said.get("vendor_id"), said.get("cpu family"))
    return model == _AMD_ZEN_3_AND_4 and "avx512f" in said.get("flags", "").split()
