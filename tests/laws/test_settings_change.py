"""Settings that change in the middle of a log (semantics G4)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.effects import Collector
from app.inspect import held_at
from app.replay import Replay, settings_body
from app.shop import Shop
from engine.outcome import Decision, Transition
from reference.compare import compare
from reference.history import History
from reference.pieces import Pieces
from reference.recompute import recompute_at
from streams.control import SETTINGS, Control
from streams.live import append_changes, append_controls, append_ticks
from streams.log.log import Log
from streams.log.rows import read_control, read_rows
from tests.engine.story import SOURCE, TEN

BEFORE = {
    "buyer": {"rule": "count(orders) > 0", "sticky": "10m"},
    "rich": {"rule": 'sum(orders.amount, "1h") >= 100', "group": "level"},
    "poor": {"rule": "count(views) > 0", "group": "level"},
    "gone": {"rule": "count(orders) > 1"},
}
AFTER = {
    "buyer": BEFORE["buyer"],
    "rich": {"rule": 'sum(orders.amount, "1h") >= 80', "group": "level"},
    "poor": BEFORE["poor"],
    "looker": {"rule": 'count(views, "90d") > 0'},
}


def shop_of(tags: dict[str, Any], partitions: int, asked: bool) -> Shop:
    """Return a shop with triggers on entering its tags."""
    sources = ("orders", "views")
    triggers = {f"on_{tag}": {"when": {"enter": tag}, "on_activation": asked} for tag in tags}
    return Shop.model_validate({
        "settings": {"name": "changing", "partitions": partitions, "groups": {"level": ["rich", "poor"]}},
        "sources": {name: {"name": name, **SOURCE} for name in sources},
        "tags": {name: {"name": name, **tag} for name, tag in tags.items()},
        "triggers": {n: {"name": n, "action": {"channel": "sms"}, **t} for n, t in triggers.items()},
        "channels": {"sms": {}},
    })  # fmt: skip


def row(number: int, member: str, minute: int, amount: int) -> dict[str, Any]:
    """Return a row as its source sends it."""
    return {
        "id": str(number),
        "m": member,
        "at": datetime.fromtimestamp(minute * 60, UTC).isoformat(),
        "amount": amount,
    }


def write(log: Log, old: Shop, new: Shop) -> None:
    """Two members act, the settings change at 10:20, and life goes on."""
    append_controls(log, [Control(SETTINGS, None, settings_body(old))], TEN, "live")
    append_changes(log, old, "orders", [row(1, "a", TEN, 90), row(2, "b", TEN, 120)], TEN, "live")
    append_ticks(log, TEN + 5)
    append_changes(log, old, "views", [row(1, "a", TEN + 5, 1)], TEN + 5, "live")
    append_ticks(log, TEN + 20)
    append_controls(log, [Control(SETTINGS, None, settings_body(new))], TEN + 20, "live")
    append_ticks(log, TEN + 25)
    append_changes(log, new, "orders", [row(3, "c", TEN + 25, 85)], TEN + 25, "live")
    append_ticks(log, TEN + 70)


@pytest.mark.parametrize("partitions", [1, 4])
@pytest.mark.parametrize("asked", [False, True])
def test_what_is_unchanged_keeps_its_since_and_what_is_new_enters_by_activation(
    tmp_path: Path, partitions: int, asked: bool
) -> None:
    """G4: whom a new rule already fits enters at the record's minute and sets off nothing unless asked."""
    old, new = shop_of(BEFORE, partitions, asked), shop_of(AFTER, partitions, asked)
    log = Log.create(tmp_path, "changing", partitions)
    write(log, old, new)
    moved: list[Transition] = []
    made: list[Decision] = []

    def listen(some: list[Transition], others: list[Decision]) -> None:
        moved.extend(some)
        made.extend(others)

    collector = Collector(listen)
    replay = Replay(log, old, collector.take)
    replay.follow(until=TEN + 22)
    at_change = [(one.what, one.change, one.mode) for one in moved if one.minute == TEN + 20]
    assert sorted(at_change) == [
        ("looker", "enter", "activation"), ("poor", "leave", "activation"), ("rich", "enter", "activation"),
    ]  # fmt: skip
    decided = sorted(one.trigger for one in made if one.minute == TEN + 20)
    assert decided == (["on_looker", "on_rich"] if asked else [])
    engine = replay.engine
    since = {
        (tag, int(partition.per_customer("since")[c, number]))
        for partition in engine.partitions
        for tag, number in engine.plan.tag.number.items()
        for c in range(partition.customers)
        if partition.per_customer("since")[c, number]
    }
    # b was rich before: the result is the same, and so is its since
    assert since == {("buyer", TEN), ("rich", TEN), ("rich", TEN + 20), ("looker", TEN + 20)}
    replay.follow()
    pieces = Pieces.of(new, new.triggers)
    rows = {name: read_rows(log, source) for name, source in new.sources.items()}
    history = History(pieces, rows, read_control(log))
    assert replay.engine.clock == TEN + 70
    recomputed = recompute_at(history, TEN + 70, replay=history.customers.ids)
    assert compare(recomputed, held_at(replay.engine, pieces)) == []
    later = [(one.minute, one.what, one.change) for one in moved if one.minute > TEN + 20]
    assert sorted(later) == [
        (TEN + 25, "buyer", "enter"), (TEN + 25, "rich", "enter"), (TEN + 60, "poor", "enter"),
        (TEN + 60, "rich", "leave"), (TEN + 60, "rich", "leave"),
    ]  # fmt: skip
    log.close()
