"""A little shop, its log, and owners of it one after the other, on a real store."""

from __future__ import annotations

import random
from pathlib import Path

from app.load import load_shop
from app.owner import Owner
from app.runtime import keep_settings
from app.shop import Shop
from engine.outcome import Decision, Transition
from sinks.store.server import EmbeddedServer
from sinks.store.store import Store
from streams.live import append_changes, append_ticks
from streams.log.log import Log
from tests.app.little_shop import write_shop
from tests.app.stored import FromScratch, effects_of, profiles_of

START = 29_540_000  # a minute of March 2026


class Shopkeeper:
    """A little shop, its log, and owners of it one after the other."""

    def __init__(self, folder: Path, server: EmbeddedServer, partitions: int) -> None:
        server.client.flushall()
        settings = f'name = "Test"\nzone = "Asia/Shanghai"\npartitions = {partitions}\n\n[groups]\n'
        write_shop(folder, {"tintype.toml": settings + 'value = ["vip", "普通"]\n'})
        self.shop: Shop = load_shop(folder)
        self.data = folder / "data"
        self.log = Log.create(self.data, "Test", partitions)
        keep_settings(self.log, self.shop)
        self.drained = [0] * partitions
        self.server = server
        self.store = Store(server.client, "Test")
        self.minute = START
        self._random = random.Random(7)
        self._orders = 0

    def owner(self, store: Store | None = None) -> Owner:
        def away(error: Exception) -> None:
            raise error

        return Owner(self.log, self.shop, self.data, store or self.store, self.drained, away)

    def trade(self, rounds: int, pause: bool = True) -> None:
        """Append some rounds of orders, a few minutes apart; without a pause all in the present minute."""
        for _ in range(rounds):
            self.minute += self._random.choice([1, 1, 2, 9]) if pause else 0
            rows = []
            for _ in range(self._random.randrange(1, 9)):
                self._orders += 1
                rows.append({
                    "order_id": self._random.randrange(max(1, self._orders - 20), self._orders + 1),
                    "member_id": f"M{self._random.randrange(40)}", "created_at": "2026-03-01 10:00",
                    "amount": self._random.randrange(1, 900_000) / 100, "status": "paid",
                })  # fmt: skip
            append_changes(self.log, self.shop, "orders", rows, self.minute)
        if pause:
            append_ticks(self.log, self.minute + 1)
            self.minute += 1

    def check(self) -> None:
        """The store serves what a replay from scratch gives, and every effect is in the outbox once."""
        scratch = FromScratch(self.log, self.shop)
        assert profiles_of(self.store, self.shop, self.log.partitions) == scratch.profiles()
        assert scratch.profiles() != {}
        assert scratch.differences() == []
        parts = range(self.log.partitions)
        effects: list[Transition | Decision] = [*scratch.moved, *scratch.made]
        expected = [sorted(one.seq for one in effects if one.partition == part) for part in parts]
        assert effects_of(self.store, self.log.partitions) == expected
        for head, engine in zip(map(self.store.head, parts), scratch.replay.engine.digests, strict=True):
            assert head.digest == engine.hexdigest()
