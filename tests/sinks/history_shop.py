"""A log with some of everything for the tests of history, and what should come of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from sinks.history.history import History
from sinks.outbox import Effect
from streams.control import CONSENT, Control, canonical
from streams.live import append_changes, append_controls, append_ticks
from streams.log.log import Log
from streams.log.rows import read_control, read_rows
from tests.streams.small_shop import CONSENT as AGREED
from tests.streams.small_shop import ORDERS, PARCELS, shop, take

SHOP = shop(zone="Asia/Shanghai", orders=ORDERS, 包裹=PARCELS, agreed=AGREED)
START = 29_538_000  # 2026-02-28 20:00 in Shanghai


def orders_csv(first: int, count: int) -> str:
    lines = ["id,member,phone,at,amount,status"]
    for n in range(first, first + count):
        hour, minute = divmod(n // 60 % 1440, 60)
        lines.append(
            f"A{n},{n % 97},,2026-02-0{n % 9 + 1} {hour:02d}:{minute:02d},{n}.50,{'已付款' if n % 3 else ''}"
        )
    return "\n".join(lines)


def parcels_csv(first: int, count: int) -> str:
    lines = ["parcel,order,at,carrier"]
    lines += [f"P{n},A{n * 7 % 50},2026-02-20 10:00,顺丰" for n in range(first, first + count)]
    return "\n".join(lines)


def fill(log: Log, folder: Path, orders: int = 300) -> None:
    """An import with parcels that find their customer through orders, then live rows, ticks and consent."""
    take(log, SHOP, folder, orders=orders_csv(0, orders), 包裹=parcels_csv(0, 40))
    go_live(log, START, 3)


def go_live(log: Log, minute: int, minutes: int) -> None:
    """Some live minutes: a changed, a deleted and a new order each, a consent and a tick."""
    for at in range(minute, minute + minutes):
        old = {
            "id": f"A{at % 50}",
            "member": str(at % 50 % 97),
            "at": "2026-02-01 00:00",
            "amount": "1",
            "status": "done",
        }
        new = {"id": f"L{at}", "phone": str(at), "at": "2026-03-01 00:00", "amount": "2.25", "status": "paid"}
        append_changes(
            log,
            SHOP,
            "orders",
            [old, new, {"id": f"A{at % 50 + 50}"}],
            at,
            operations=["update", "insert", "delete"],
        )
        customer = read_rows(log, SHOP.sources["orders"])["customer"].iloc[0]
        body = canonical({"channel": "sms", "purpose": "marketing", "granted": bool(at % 2), "until": None})
        append_controls(log, [Control(CONSENT, bytes.fromhex(customer), body)], at)
        append_ticks(log, at + 1)


def transition(partition: int, seq: int, minute: int = START, **more: Any) -> Effect:
    """Return a transition as the engine's, with its place in the outbox."""
    place = {"partition": partition, "seq": seq, "step": seq // 2, "minute": minute}
    what = {"what": "高价值客户", "change": "enter", "mode": "live", "before": None, "after": None}
    return {**place, "customer": f"{seq % 7:032x}", **what, "values": {"sum(orders.amount)": 500}, **more}


def decision(partition: int, seq: int, minute: int = START, **more: Any) -> Effect:
    """Return a decision as the engine's, with its place in the outbox."""
    place = {"partition": partition, "seq": seq, "step": seq // 2, "minute": minute}
    what = {"id": f"{seq:032x}", "trigger": "vip_welcome", "version": "v1", "outcome": "act", "guard": ""}
    why = {"status": "live", "cause": {"minute": minute}, "figures": {}, "values": {"'引号'": None}}
    return {**place, "customer": f"{seq % 7:032x}", **what, **why, **more}


class Outbox:
    """Effects in memory, as the store's outbox gives them."""

    def __init__(self, partitions: int) -> None:
        self.effects: list[list[Effect]] = [[] for _ in range(partitions)]

    def add(self, partition: int, count: int) -> None:
        """Add effects, every fifth a decision."""
        held = self.effects[partition]
        for seq in range(len(held), len(held) + count):
            held.append((decision if seq % 5 == 0 else transition)(partition, seq))

    def read(self, partition: int, after_seq: int, limit: int) -> Sequence[Effect]:
        return [one for one in self.effects[partition] if one["seq"] > after_seq][:limit]

    def last_seq(self, partition: int) -> int:
        held = self.effects[partition]
        return int(held[-1]["seq"]) if held else -1


OP_CODES = ("upsert", "insert", "update", "delete", "read", "move out")


def differences(history: History, log: Log) -> dict[str, tuple[int, int, list[Any]]]:
    """Compare every row with the log's, as `streams.log.rows` reads it: (rows there, rows here, unlike)."""
    found = {}
    for name, source in SHOP.sources.items():
        if source.kind != "rows":
            continue
        frame = read_rows(log, source)
        frame["op"] = [OP_CODES[op] for op in frame["op"]]
        found[f"changes_{name}"] = _unlike(history, f"changes_{name}", frame)
    frame = read_control(log)
    frame["customer"] = frame["customer"].fillna("")
    found["controls"] = _unlike(history, "controls", frame)
    return {name: one for name, one in found.items() if one[2] or one[0] != one[1]}


def _unlike(history: History, table: str, frame: Any) -> tuple[int, int, list[Any]]:
    names = ", ".join(f"`{name}`" for name in frame.columns)
    held = history.query(f"SELECT {names} FROM `{table}` ORDER BY partition, step")
    wanted = pa.Table.from_pandas(frame, preserve_index=False).cast(held.schema)
    pairs = zip(wanted.to_pylist(), held.to_pylist(), strict=False)
    return wanted.num_rows, held.num_rows, [pair for pair in pairs if pair[0] != pair[1]][:3]
