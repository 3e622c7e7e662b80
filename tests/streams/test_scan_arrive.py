"""A log is the same whether messages were scanned or decoded one by one."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from streams.arrive import Arrivals, Arrived
from streams.log.log import Log
from streams.message import Message
from streams.scan import arriving
from tests.streams.small_shop import new_log, shop
from tests.streams.test_scan import MINUTE, ORDERS, ROW, WHOLE, envelope, written

SHOP = shop(
    orders=ORDERS,
    whole={**WHOLE, "references": [{"type": "member", "column": "member"}]},
    totals={
        **ORDERS,
        "name": "totals",
        "columns": {"total": {"type": "decimal", "product": ["amount", "items"]}},
    },
)
MESSAGES = 300


def feed(seed: int) -> list[Message]:
    """Return changes of three sources as they may come: some wrong, some of another form, some twice."""
    chance = random.Random(seed)
    found = []
    for at in range(MESSAGES):
        key = chance.randrange(60)
        row: Any = {
            **ROW,
            "id": key,
            "member": f"M{key % 7}",
            "phone": f"138{key % 5}",
            "city": chance.choice("abc"),
        }
        row["amount"] = chance.choice(["1.00", "12.50", "1234", "x", 7])
        if chance.random() < 0.1:
            row["new"] = 1
        kind = chance.choice("cccuuudr")
        before = row if kind in "ud" and chance.random() < 0.7 else None
        body = written(
            envelope(None if kind == "d" else row, before, kind, lsn=1_000 + at - chance.choice([0, 0, 0, 9]))
        )
        if chance.random() < 0.05:
            body = chance.choice([b"", b"null", b"{", body[:-2], body.replace(b'"op"', b'"po"')])
        source = chance.choice(["orders", "orders", "whole", "totals"])
        found.append(Message(source, f"feed/0/{at}", body, written({"id": key})))
    return found


def taken(folder: Path, messages: list[Message], size: int) -> tuple[list[Any], list[Arrived]]:
    folder.mkdir()
    with new_log(folder) as log:
        arrivals = Arrivals(log)
        answers = [
            arrivals.take(SHOP, [(messages[first : first + size], None)], MINUTE)[0]
            for first in range(0, len(messages), size)
        ]
        return contents(log), answers


def contents(log: Log) -> list[Any]:
    named = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
    tables = [name for (name,) in log.connection.execute(named)]
    held = [(table, sorted(map(repr, log.connection.execute(f"SELECT * FROM {table}")))) for table in tables]
    blocks = [
        (block.first_step, block.count, {name: table.to_pydict() for name, table in block.tables().items()})
        for partition in range(log.partitions)
        for block in log.blocks(partition)
    ]
    return [*held, blocks]


@pytest.mark.parametrize("seed", range(4))
def test_a_log_is_the_same_whether_messages_were_scanned_or_decoded(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages = feed(seed)
    monkeypatch.setattr(arriving, "WORTH_WHILE", 1)
    scans: list[int] = []
    read = arriving.Scans.read

    def counted(self: arriving.Scans, *arguments: Any) -> Any:
        found = read(self, *arguments)
        scans.extend(len(places) for _, places in found.values())
        return found

    monkeypatch.setattr(arriving.Scans, "read", counted)
    scanned = taken(tmp_path / "scanned", messages, 50)
    assert sum(scans) > MESSAGES // 10
    monkeypatch.setattr(arriving, "WORTH_WHILE", MESSAGES + 1)
    assert scanned == taken(tmp_path / "decoded", messages, 50)
