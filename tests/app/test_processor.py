"""NumPy's instructions are chosen where its own choice sorts slowly, and nowhere else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.processor import SLOW_THERE, VARIABLE, choose_instructions, compresses_slowly

ROOT = Path(__file__).resolve().parents[2]
EPYC_4 = "vendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: 17\nflags\t\t: fpu avx2 avx512f avx512vl\n"
EPYC_3 = "vendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: 1\nflags\t\t: fpu avx2\n"
EPYC_5 = "vendor_id\t: AuthenticAMD\ncpu family\t: 26\nmodel\t\t: 2\nflags\t\t: fpu avx2 avx512f avx512vl\n"
XEON = "vendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 143\nflags\t\t: fpu avx2 avx512f avx512vl\n"
ARM = "processor\t: 0\nBogoMIPS\t: 243.75\nFeatures\t: fp asimd\nCPU implementer\t: 0x41\n"


@pytest.mark.parametrize(
    ("told", "chosen"),
    [(EPYC_4, True), (EPYC_4 + "\n" + XEON, True), (EPYC_3, False), (EPYC_5, False), (XEON, False),
     (ARM, False), ("", False), (None, False)],
)  # fmt: skip
def test_only_where_compressed_stores_are_slow_numpy_is_told(
    tmp_path: Path, told: str | None, chosen: bool
) -> None:
    """Everywhere else, and where nothing is known, NumPy chooses by itself."""
    file = tmp_path / "cpuinfo"
    if told is not None:
        file.write_text(told, encoding="utf-8")
    environment: dict[str, str] = {}
    choose_instructions(environment, file)
    assert environment == ({VARIABLE: SLOW_THERE} if chosen else {})


@pytest.mark.parametrize("own", ["", "AVX2"])
def test_what_the_user_has_set_stays(tmp_path: Path, own: str) -> None:
    """Also a setting to nothing: that is how the choice is switched off."""
    file = tmp_path / "cpuinfo"
    file.write_text(EPYC_4, encoding="utf-8")
    environment = {VARIABLE: own}
    choose_instructions(environment, file)
    assert environment == {VARIABLE: own}


def test_the_choice_comes_before_numpy_is_imported() -> None:
    """Importing the command line gives NumPy the instructions that were chosen for this machine."""
    program = (
        "import app.cli\n"
        "from numpy._core._multiarray_umath import __cpu_features__ as has\n"
        "print(has['X86_V4'])"
    )
    environment = {name: value for name, value in os.environ.items() if name != VARIABLE}
    features = [
        subprocess.run([sys.executable, "-c", text], cwd=ROOT, env=environment, check=True, text=True,
                       stdout=subprocess.PIPE).stdout
        for text in (program, program.removeprefix("import app.cli\n"))
    ]  # fmt: skip
    assert features[0] == ("False\n" if compresses_slowly() else features[1])
