"""The decisions of a whole log, counted over again (`reference.guards`), and beside what was carried out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import msgspec

from app.effects import Collector
from app.replay import Replay
from app.shop import Shop
from engine.outcome import Decision, Transition
from reference.guards import KINDS, Declared, Recount
from sinks.deliveries.ledger import Ledger
from streams.log.log import Log
from streams.log.rows import read_control

PAGE = 5000  # of decisions read of the ledger at a time


def recount_of(shop: Shop) -> Recount:
    """Return what counts a shop's decisions over, through whatever settings its log has had."""

    def read(body: str) -> Declared:
        return _declared(Shop.model_validate_json(json.loads(body)["shop"]))

    return Recount(_declared(shop), read)


def _declared(shop: Shop) -> Declared:
    return Declared(shop.triggers, shop.settings.guards, shop.settings.zone)


def recount(
    log: Log, shop: Shop, ledger: Ledger | None, progress: Callable[[int], None] | None = None
) -> dict[str, Any]:
    """Replay the log from its beginning, and check each decision that comes out.

    Its guards are read a second time; and where there is a ledger, what that holds must be what comes out,
    the same in every field (the same log gives the same decisions). progress: gets the number of records
    replayed. Returns counted (decisions), carried (of these, how many the ledger holds), guards (by name, as
    `reference.guards.Recount.guards` has them) and differences, as `app.inspect.audit_minutes` has them.
    """
    counting, differences = recount_of(shop), list[dict[str, Any]]()
    counting.begin(read_control(log, kinds=KINDS))
    carried = [Beside("replay", _decisions(ledger, number)) for number in range(log.partitions)]

    def listen(_: list[Transition], made: list[Decision]) -> None:
        for one in made:
            wrong = counting.check(one)
            differences.extend(difference(one, "guards", one.outcome, found) for found in wrong)
            zone = replay.engine.plan.guards.zone_spec
            differences.extend(carried[one.partition].check(one, zone.key if zone else "")[1])

    replay = Replay(log, shop, Collector(listen).take)
    replay.follow(progress=progress)
    for held, step in zip(carried, replay.engine.steps, strict=True):
        differences.extend(held.left(step))
    found = sum(one.found for one in carried)
    return {"counted": counting.counted, "carried": found, "guards": counting.guards(),
            "differences": differences}  # fmt: skip


class Beside:
    """Decisions of a partition that stand elsewhere, in its order, beside what a replay gives. what: what a
    difference is named after; found: how many were there, so far."""

    def __init__(self, what: str, held: Iterator[Decision]) -> None:
        self.found = 0
        self._what, self._held = what, held
        self._next = next(held, None)

    def check(self, one: Decision, zone: str) -> tuple[bool, list[dict[str, Any]]]:
        """Return whether a decision of the replay stands there, and what differs up to it. zone: the name of
        the customer's zone among its values."""
        is_there, wrong = False, list[dict[str, Any]]()
        while self._next is not None and self._next.seq <= one.seq:
            held, self._next = self._next, next(self._held, None)
            if held.seq < one.seq:
                wrong.append(difference(held, self._what, held.outcome, "none"))
                continue
            is_there = True
            self.found += 1
            if held != one and not _lacks_zone(held, one, zone):
                both = msgspec.to_builtins(held), msgspec.to_builtins(one)
                wrong.append(difference(one, self._what, *both))
        return is_there, wrong

    def left(self, step: int) -> Iterator[dict[str, Any]]:
        """Yield what should have come before a step; what came later is not replayed."""
        while self._next is not None and self._next.step < step:
            held, self._next = self._next, next(self._held, None)
            yield difference(held, self._what, held.outcome, "none")


def _lacks_zone(held: Decision, one: Decision, zone: str) -> bool:
    """Whether a decision is the same but for the customer's zone among its values, of that name, and for what
    that takes the place of: former releases let it go along only where a message waits for its turn."""
    if not zone or zone not in one.values or zone in held.values:
        return False
    both = held.values.keys() & one.values.keys()

    def shared(of: Decision) -> Decision:
        return replace(of, values={name: of.values[name] for name in both})

    return shared(held) == shared(one) and one.values.keys() - both == {zone}


def _decisions(ledger: Ledger | None, partition: int) -> Iterator[Decision]:
    if ledger is None:
        return
    query = "SELECT number, body FROM decision WHERE partition = ? AND number > ? ORDER BY number LIMIT ?"
    number = 0
    while found := ledger.rows(query, (partition, number, PAGE)):
        yield from (msgspec.json.decode(body, type=Decision) for _, body in found)
        number = found[-1][0]


def difference(one: Decision, what: str, held: object, recomputed: object) -> dict[str, Any]:
    """Return a difference at a decision, as an audit shows it."""
    named = f"decision {one.id}, {what}"
    return {"minute": one.minute, "customer": one.customer, "what": named, "held": held,
            "recomputed": recomputed}  # fmt: skip
