"""kill -9 while history is written: afterwards every row is in once, and as the log has it."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sinks.history.embedded import ChdbHistory
from sinks.history.relay import HistoryRelay
from streams.log.log import Log
from tests.sinks.history_shop import START, Outbox, differences, fill, go_live
from tests.streams.small_shop import new_log

ROOT = Path(__file__).resolve().parents[2]
PARTITIONS = 3
RANDOM_KILLS = 12
AFTER_WRITES = (1, 2, 3, 4, 7)  # of the tables one after the other


def killed(folder: Path, effects: int, after: float = 0.0, writes: int = 0) -> bool:
    """Start the writer and kill it, so many seconds after it has begun; say whether it was at work then."""
    command = [
        sys.executable,
        "-m",
        "tests.sinks.history_writer",
        str(folder / "log"),
        str(folder / "history"),
    ]
    with subprocess.Popen(
        [*command, str(effects), str(writes)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "begun\n"
        if not writes:
            time.sleep(after)  # the moment is the point, not what is true by then
            child.kill()
        return "done" not in child.stdout.read()


def copied(history: ChdbHistory) -> int:
    tables = ("controls", "changes_orders", "changes_包裹", "effects")
    return sum(sum(history.drained(table).values()) for table in tables)


@pytest.mark.slow
def test_a_writer_killed_at_any_moment_leaves_nothing_missing_and_nothing_double(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.log.write.BLOCK_RECORDS", 20)  # so that there are many inserts
    moment = random.Random(20261126)
    with new_log(tmp_path / "log", PARTITIONS) as log:
        fill(log, tmp_path, orders=8000)
        effects, kills = 300, 0
        for number, writes in enumerate(AFTER_WRITES):
            assert killed(tmp_path, effects, writes=writes)
            go_live(log, START + 10 * (number + 1), 2)
        for number in range(4 * RANDOM_KILLS):
            kills += killed(tmp_path, effects, after=moment.uniform(0, 0.6))
            go_live(log, START + 100 + 10 * number, 2)
            effects += 40
            if kills == RANDOM_KILLS:
                break
        assert kills == RANDOM_KILLS
        history = ChdbHistory(tmp_path / "history", "Asia/Shanghai")
        try:
            check(history, log, effects)
        finally:
            history.close()


def check(history: ChdbHistory, log: Log, effects: int) -> None:
    before = copied(history)
    assert before > 0  # the killed ones did copy something
    outbox = Outbox(PARTITIONS)
    for partition in range(PARTITIONS):
        outbox.add(partition, effects)
    relay = HistoryRelay(history, log, outbox)
    assert relay.lag().rows < sum(log.next_steps()) + PARTITIONS * effects  # and it is not copied again
    relay.catch_up()
    assert differences(history, log) == {}
    held = history.query("SELECT partition, seq FROM effects ORDER BY partition, seq").to_pylist()
    assert [(row["partition"], row["seq"]) for row in held] == [
        (partition, seq) for partition in range(PARTITIONS) for seq in range(effects)
    ]
