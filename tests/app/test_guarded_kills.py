"""Killed at any moment, every decision is what its guards say, and every delivery is out as often as it may.

``TINTYPE_LONG=1`` makes a million decisions to act, and more than two million in all (`make test-faults`).
"""

from __future__ import annotations

import json
import random
import subprocess
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from app.history_folder import HISTORY_FOLDER
from app.load import load_shop
from app.recount import recount, recount_of
from app.shop import Shop
from sinks.deliveries.ledger import Ledger
from sinks.history.embedded import ChdbHistory
from streams.log.log import Log
from streams.log.rows import read_control
from tests.app.guarded_shop import EACH, KINDS, files
from tests.app.killed import until_it_ends
from tests.app.little_shop import write_shop
from tests.laws.effort import LONG

PARTITIONS = 2
ROWS, BATCHES, KILLS = (1000, 240, 40) if LONG else (60, 52, 2)
WANTED = {"", "consent", "kill_switch", "hold_out", "quiet_hours", "cool_down", "once", "cap"}


@dataclass(frozen=True)
class Kept:
    """A decision as history has it."""

    id: str
    partition: int
    step: int
    minute: int
    customer: str
    trigger: str
    outcome: str
    guard: str
    status: str
    seq: int


def live_and_die(folder: Path) -> int:
    """Run the shop to its end, killed on the way every few batches; return how often it was killed."""
    chance = random.Random(20261130)

    def some_batches(process: subprocess.Popen[bytes]) -> float:
        until = taken(folder) + chance.uniform(0.2, 1.4) * BATCHES / (KILLS + 1)
        while process.poll() is None and taken(folder) < until:
            time.sleep(0.02)
        return chance.uniform(0, 0.5)

    command = ["tests.app.guarded_shop", str(folder), str(BATCHES), str(ROWS)]
    return until_it_ends(command, KILLS, some_batches, 3600)


def taken(folder: Path) -> int:
    """Return how many batches the shop has taken."""
    sent = folder / "sent"
    return int(sent.read_text(encoding="utf-8") or 0) if sent.exists() else 0


def in_history(folder: Path) -> list[Kept]:
    """Return every decision, by partition and number; transitions there are none."""
    history = ChdbHistory(folder / "data" / HISTORY_FOLDER)
    names = ", ".join(Kept.__dataclass_fields__)
    try:
        found = history.query(f"SELECT {names} FROM decisions ORDER BY partition, seq").to_pylist()
    finally:
        history.close()
    return [Kept(**one) for one in found]


def wrong_guards(folder: Path, shop: Shop, made: list[Kept]) -> list[str]:
    """Return what the second reading finds wrong, in history and in the ledger, which are to be what a replay
    of the log gives."""
    with Log.open(folder / "data") as log, closing(Ledger(folder / "data", write=False)) as ledger:
        found = recount_of(shop).violations(made, read_control(log))
        again = recount(log, shop, ledger)
    assert again["counted"] == again["carried"] == len(made)
    return found + [str(one) for one in again["differences"]]


def wrong_deliveries(folder: Path, shop: Shop, made: list[Kept]) -> list[str]:
    """Return which messages are out too often, or not at all."""
    lines = (folder / "data" / "sent.jsonl").read_text(encoding="utf-8").splitlines()
    out = Counter(json.loads(line)["id"] for line in lines if line.endswith("}"))
    with closing(Ledger(folder / "data", write=False)) as ledger:
        states = dict(ledger.rows("SELECT id, state FROM delivery JOIN decision USING (number)"))
    found = []
    acts = {one.id: shop.triggers[one.trigger].purpose for one in made if one.outcome == "act"}
    for one, purpose in acts.items():
        state, times = states.get(one), out[one]
        if purpose == "marketing" and times > 1:
            found.append(f"{one}: marketing, out {times} times")
        if purpose == "transactional" and state != "held back" and times < 1:
            found.append(f"{one}: transactional, {state}, never out")
        if state not in ("sent", "unknown", "held back") or (state == "sent" and times < 1):
            found.append(f"{one}: {state}, out {times} times")
    found += [f"{one}: out, and not decided" for one in out.keys() - acts.keys()]
    return found


def test_killed_again_and_again_guards_hold_and_deliveries_are_out_once(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    write_shop(folder, files(PARTITIONS))
    killed = live_and_die(folder)
    assert killed >= 0.8 * KILLS, "the shop was too fast to be killed: give it more batches"
    shop, made = load_shop(folder), in_history(folder)
    numbers = [(one.partition, one.seq) for one in made]
    assert len(set(numbers)) == len(numbers) >= BATCHES * ROWS * EACH * len(KINDS)
    for partition in range(PARTITIONS):
        own = [seq for number, seq in numbers if number == partition]
        assert own == list(range(len(own)))
    assert {one.guard for one in made} == WANTED
    assert wrong_guards(folder, shop, made) == []
    assert wrong_deliveries(folder, shop, made) == []
    acts = sum(one.outcome == "act" for one in made)
    print(f"{len(made):,} decisions, {acts:,} to act, {killed} kills")  # noqa: T201 - with -s, for the record
