"""Two checkouts against each other, in turns: on a shared machine nothing else shows a few per cent.

``python -m bench.against FOLDER`` runs this checkout and the one in FOLDER (both with a warm kernel) as two
processes that take one pass after the other, and prints the medians of process CPU and of the ratios of
neighbouring passes. What both emitted must be the same.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from bench import feed
from bench.figures import cpu
from bench.load import Loaded
from bench.messages import debezium_shop
from bench.shops import large_shop, small_shop
from bench.stream import Stream

HERE = Path(__file__).resolve().parents[1]
SHOPS = {"small": small_shop, "large": large_shop}
CHANGES = 20_000  # of one pass, of one minute


class Columns:
    """Changes from columns."""

    def __init__(self, shop: str, customers: int, batch: int) -> None:
        self.loaded, self.batch = Loaded(SHOPS[shop](), customers), batch

    def take(self) -> dict[str, float]:
        """Return microseconds of one pass."""
        return {"changes": self.loaded.pass_over(self.batch, CHANGES)}


class Bytes:
    """Changes from Debezium's bytes, their reading alone, and msgspec's."""

    def __init__(self, shop: str, customers: int, batch: int) -> None:
        feed.BATCH = batch
        self.stream = Stream(debezium_shop(SHOPS[shop]()), customers)
        self.loaded = self.stream.loaded
        self.reader = feed._reader(self.stream)
        self.floor = feed._Floor(self.stream.shop, self.stream)

    def take(self) -> dict[str, float]:
        """Return microseconds of one pass."""
        minute = self.stream.minute(CHANGES)
        works = {
            "reading": partial(feed._read, self.stream, self.reader, minute),
            "msgspec": partial(self.floor.decode, minute),
            "changes": partial(feed._apply, self.stream, self.reader, minute),
        }
        taken = {name: cpu(work) / CHANGES * 1e6 for name, work in works.items()}
        self.stream.open_minute()
        return taken


def serve(arguments: argparse.Namespace) -> None:
    """Be one side: a pass for each line read, then the digest."""
    side = (Bytes if arguments.bytes else Columns)(arguments.shop, arguments.customers, arguments.batch)
    print("ready", flush=True)
    for _ in range(arguments.passes + 1):
        sys.stdin.readline()
        print(json.dumps(side.take()), flush=True)
    print(side.loaded.engine.digests[0].hexdigest(), flush=True)


def begin(folder: Path) -> subprocess.Popen[str]:
    """Start the side of a checkout, and wait until it is loaded. Raises RuntimeError if it ends before."""
    command = [sys.executable, "-P", str(Path(__file__).resolve()), *sys.argv[1:], "--serve"]
    side = subprocess.Popen(  # noqa: S603  # this script itself
        command, cwd=folder, env=os.environ | {"PYTHONPATH": str(folder)}, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    if ask(side, "") != "ready":
        raise RuntimeError(f"the checkout in {folder} does not run: see above")
    return side


def ask(side: subprocess.Popen[str], line: str) -> str:
    """Send a line to a side, if it is not empty; return the line that it answers."""
    assert side.stdin is not None
    assert side.stdout is not None
    side.stdin.write(line)
    side.stdin.flush()
    return side.stdout.readline().strip()


def compare(folders: list[Path], passes: int) -> None:
    """Run both sides and print one line for each measure."""
    sides = [begin(folder) for folder in folders]
    all_taken: list[list[dict[str, Any]]] = []
    for _ in range(passes + 1):
        all_taken.append([json.loads(ask(side, "go\n")) for side in sides])
    taken = all_taken[1:]  # the first pass is not counted
    print(f"{'us a change':12}{'here':>8}{'there':>8}{'ratio':>8}")
    for name in taken[0][0]:
        here, there = ([one[k][name] for one in taken] for k in (0, 1))
        ratio = median(a / b for a, b in zip(here, there, strict=True))
        print(f"{name:12}{median(here):8.2f}{median(there):8.2f}{ratio:8.3f}")
    same = len({ask(side, "") for side in sides}) == 1
    print(f"what came out is {'the same' if same else 'DIFFERENT'}")
    for side in sides:
        side.wait()


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Two checkouts in turns.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--bytes", action="store_true", help="from Debezium's bytes, not from columns")
    parser.add_argument("--shop", choices=SHOPS, default="small")
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--batch", type=int, default=1_000)
    parser.add_argument("--passes", type=int, default=15)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments)
    else:
        compare([HERE, arguments.folder.resolve()], arguments.passes)


if __name__ == "__main__":
    main()
