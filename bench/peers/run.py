"""Runs the peers over one stream in processes of their own, and compares what came out of them with ours."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = ROOT / "bench" / "peers"
MADE = ROOT / ".cache" / "peers"  # what bench/peers/install.sh makes
INSTALL = "run bench/peers/install.sh"
_HEAP = "4g"
_JAVA = (f"-Xms{_HEAP}", f"-Xmx{_HEAP}", "-XX:+AlwaysPreTouch", "-XX:+UseParallelGC")


@dataclass(frozen=True)
class Outcome:
    """One peer's run. microseconds: process CPU a live change, None where it was not run, and why not;
    different: customers whose final metrics or tags are not ours.
    """

    microseconds: float | None
    why_not: str = ""
    different: int = 0


def bytewax(folder: Path, ours: dict[str, str]) -> Outcome:
    """Run Bytewax over a folder's stream."""
    python = MADE / "venv" / "bin" / "python"
    if not python.exists():
        return Outcome(None, f"no Bytewax here: {INSTALL}")
    return _run([str(python), str(HERE / "with_bytewax.py"), str(folder)], folder, "bytewax", ours)


def java(folder: Path, ours: dict[str, str], program: str) -> Outcome:
    """Run ``Plain`` or ``OnFlink`` over a folder's stream."""
    found = shutil.which("java")
    if found is None or not (MADE / "jvm" / "classes").exists():
        return Outcome(None, f"no Java here, or not compiled: {INSTALL}")
    about = json.loads((folder / "about.json").read_text())
    jars = ":".join([str(MADE / "jvm" / "classes"), *map(str, sorted((MADE / "jvm" / "lib").glob("*.jar")))])
    numbers = [str(about[name]) for name in ("history", "live_from", "until")]
    opened = "--add-opens=java.base/java.util=ALL-UNNAMED"
    name = "java" if program == "Plain" else "flink"
    return _run(
        [found, *_JAVA, opened, "-cp", jars, f"tintype.{program}", str(folder), *numbers], folder, name, ours
    )


def pandas(folder: Path, ours: dict[str, str]) -> Outcome:
    """Run plain pandas over a folder's stream."""
    return _run([sys.executable, str(HERE / "with_pandas.py"), str(folder)], folder, "pandas", ours)


def _run(command: list[str], folder: Path, name: str, ours: dict[str, str]) -> Outcome:
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own programs
    said = json.loads(done.stdout.splitlines()[-1])
    theirs = {}
    with (folder / f"answers-{name}.jsonl").open() as lines:
        for line in lines:
            customer, metrics, tags = json.loads(line)
            theirs[customer] = json.dumps([metrics, tags])
    different = sum(ours.get(one) != theirs.get(one) for one in ours.keys() | theirs.keys())
    return Outcome(said["us"], different=different)
