"""One customer's story, told minute by minute to a shop with one trigger."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from app.shop import Shop
from engine.outcome import Decision
from engine.plan import build
from reference.pieces import Pieces
from tests.laws.run import Run
from tests.laws.shops import Place, Small
from tests.laws.world import Writer

START = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
TEN = int(START.timestamp()) // 60  # 2026-03-01 10:00
SOURCE = {
    "key": ["id"], "references": [{"type": "member", "column": "m"}], "event_time": {"column": "at"},
    "columns": {"amount": {"type": "int"}, "status": {"type": "text"}},
}  # fmt: skip
TAGS = {"full": {"rule": 'count(carts, "1h") >= 2'}, "seen": {"rule": "count(views) > 0"}}


def shop_of(trigger: dict[str, Any], zone: str = "UTC", **more: Any) -> Small:
    """Return a shop with one trigger, "t"."""
    names = ("orders", "carts", "views")
    horizon = {"orders": "20m"}
    parts: dict[str, Any] = {
        "settings": {"name": "triggers", "zone": zone},
        "sources": {n: {"name": n, **SOURCE, "duplicate_horizon": horizon.get(n, "7d")} for n in names},
        "tags": {name: {"name": name, **tag} for name, tag in TAGS.items()},
        "triggers": {"t": {"name": "t", "action": {"channel": "sms"}, **trigger}},
        "channels": {"sms": {}},
    }
    shop = Shop.model_validate(parts | more)
    return Small(Place(zone, START), shop, build(shop), Pieces.of(shop, shop.triggers))


class Story:
    """A live log of one customer (1), told minute by minute, and what its trigger decided."""

    def __init__(self, trigger: dict[str, Any], zone: str = "UTC", start: int = TEN, **more: Any) -> None:
        self.shop = shop_of(trigger, zone, **more)
        self.writer = Writer(start)
        self.start = start
        self.writer.tick()

    def at(self, minute: int) -> Writer:
        """Let time pass to a minute after the start."""
        self.writer.wait(self.start + minute - self.writer.minute)
        return self.writer

    def decided(self, until: int = 0) -> list[Decision]:
        """Run everything, and on to a minute after the start; return the decisions."""
        if until:
            self.at(until).tick()
        return Run(self.shop).feed(self.writer.log).to().outcome.decisions

    def told(self, until: int = 0) -> list[tuple[int, str]]:
        """Return (minute after the start, outcome or the guard that refused) of each decision."""
        return [(one.minute - self.start, one.guard or one.outcome) for one in self.decided(until)]


ORDER = {"when": {"event": {"source": "orders"}}}
ABSENCE = {"when": {"absence": {"after": {"source": "carts"}, "of": {"source": "orders"}, "within": "2h"}}}
WAIT = {"when": {"enter": "full"}, "if": 'count(views, "10m") == 0', "for": "20m"}
