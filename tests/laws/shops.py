"""Four small shops that together use every feature of the core, in zones whose clocks change."""

# ruff: noqa: E501 - a table of declarations reads better one declaration a line

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from app.shop import Shop
from engine.plan import Plan, build
from reference.pieces import Pieces

FUNCTIONS = ("count", "sum", "avg", "min", "max", "first", "last", "distinct")
WINDOWS = (
    "30m", "1m", "20m offset 10m", "3d", "2d offset 1d", "day", "day offset 1", "week", "week offset 1", "month",
    "month offset 1", "quarter", "year", "all", "year from customer.joined", "year from customer.joined offset 1",
)  # fmt: skip
FILTERS = ('status != "x"', "price > 150 || gift", "!has(amount)", "paid_at == 3")
OTHERS = (
    'count(orders.amount, "30m")', 'count(orders, "30m", status == "y")', 'distinct(orders.status, "20m offset 10m")',
    'first(orders.status, "day")', 'last(views.page, "30m")', 'distinct(views.page)', 'max(orders.paid_at, "3d")',
    'sum(views.seconds, "1m")', 'count(views, "day")', 'first(views.seconds, "all")', 'avg(orders.price, "30m")',
    'min(members.joined)', 'count(members)', 'count(clicks, "20m")', 'last(clicks.page, "5m", seconds > 1)',
    'distinct(clicks.page, "9m offset 3m")', 'max(clicks.seconds, "20m")',
)  # fmt: skip

SOURCES: dict[str, Any] = {
    "orders": {
        "key": ["id"],
        "references": [{"type": "member", "column": "member"}],
        "event_time": {"column": "at"},
        "columns": {
            "amount": {"type": "int"}, "price": {"type": "decimal", "scale": 2}, "status": {"type": "text"},
            "gift": {"type": "bool"}, "paid_at": {"type": "time"},
        },
        "stale_after": "4m",
    },
    "views": {
        "key": ["id"],
        "references": [{"type": "member", "column": "member"}],
        "event_time": {"column": "at"},
        "columns": {"seconds": {"type": "int"}, "page": {"type": "text"}},
        "where": 'page != "bot"',
        "duplicate_horizon": "30m",
        "stale_after": "3m",
    },
    "clicks": {
        "key": ["id"],
        "references": [{"type": "member", "column": "member"}],
        "event_time": {"column": "at"},
        "columns": {"seconds": {"type": "int"}, "page": {"type": "text"}},
        "duplicate_horizon": "12m",
    },
    "members": {
        "key": ["id"],
        "references": [{"type": "member", "column": "member"}],
        "event_time": {"column": "at"},
        "columns": {
            "joined": {"type": "date", "attribute": "joined"}, "city": {"type": "text", "attribute": "city"},
            "vip": {"type": "bool", "attribute": "vip"},
        },
    },
}  # fmt: skip

TAGS: dict[str, dict[str, Any]] = {
    "busy": {"rule": 'count(orders, "30m") >= 2', "sticky": "7m"},
    "rich": {"rule": 'sum(orders.amount, "30m") > 5', "max": "11m"},
    "moody": {"rule": 'sum(orders.amount, "1m") + count(views, "30m") > 3', "sticky": "4m", "max": "9m"},
    "best": {"rule": "rfm.f >= 2 && rfm.r >= 2", "group": "level", "sticky": "3m"},
    "good": {"rule": "rfm.score > 111", "group": "level"},
    "fine": {"rule": 'avg(orders.price, "30m") > 120 || rfm.monetary < 0', "group": "level", "max": "8m"},
    "both": {"rule": '"busy" in tags && !("best" in tags) || "hand" in tags'},
    "deep": {"rule": '"both" in tags ? "rich" in tags : count(views) > 1'},
    "fresh": {"rule": "daily.r == 2 || mean.r == 2 && fixed.m > 1", "sticky": "2m"},
    "segment": {"rule": 'rfm.segment == "Top" || mean.segment in ["重要价值", "一般挽留"]'},
    "silent": {"rule": "rfm.recency > 12"},
    "recent": {"rule": "rfm.recency <= 12 && rfm.recency != 3"},
    "days": {"rule": "daily.recency >= 1 && mean.recency == 1 || days_mean.recency < 1"},
    "null_low": {"rule": 'min(orders.amount, "20m offset 10m") != 3'},
    "null_last": {"rule": 'last(orders.status) == "y" || !(last(orders.amount, "day") < 4)'},
    "today": {"rule": 'count(orders, "day") > count(orders, "day offset 1")'},
    "year": {"rule": 'sum(orders.amount, "year from customer.joined") > 3'},
    "city": {"rule": 'customer.city == "上海" && customer.vip'},
    "hand": {},
    "quotient": {"rule": 'sum(orders.amount, "30m") / count(views, "30m") % 3 == -1'},
    "known": {"rule": "has(rfm.score) && !has(daily.segment) || has(avg(orders.price))"},
    "mean_day": {"rule": "days_mean.score == 212 || days_mean.r == 2 && days_mean.f == 1"},
}
GROUPS = {"level": ["best", "good", "fine"]}
MODELS: list[dict[str, Any]] = [
    {
        "frequency": 'count(orders, status != "x")', "window": "40m", "bins": 3,
        "monetary": "sum(orders.amount) - sum(views.seconds)",
        "segments": [
            {"name": "Top", "r": (2, 3), "f": (2, 3), "m": (1, 3)}, {"name": "New", "r": (3, 3), "f": (1, 1), "m": (1, 3)},
        ],
    },
    {
        "name": "daily", "frequency": "count(orders)", "monetary": "sum(orders.amount)", "bins": 2,
        "recency_unit": "day",
    },
    {"name": "mean", "frequency": "distinct(orders.status)", "monetary": "sum(orders.amount)", "method": "mean"},
    {
        "name": "fixed", "frequency": "count(orders)", "monetary": "sum(orders.amount)", "method": "fixed",
        "recency_unit": "day", "window": "3d", "fixed": {"recency": [0, 1], "frequency": [1, 2], "monetary": [5]},
    },
    {
        "name": "days_mean", "frequency": "count(orders)", "monetary": "sum(orders.price)", "method": "mean",
        "recency_unit": "day", "window": "month",
    },
    {
        "name": "fixed_minutes", "frequency": "count(views)", "monetary": "sum(views.seconds)", "method": "fixed",
        "fixed": {"recency": [3, 20], "frequency": [2], "monetary": [0, 10]}, "window": "day",
    },
]  # fmt: skip
TRIGGERS: dict[str, dict[str, Any]] = {
    "on_order": {"when": {"event": {"source": "orders", "where": 'status != "x"'}}, "if": 'count(orders, "30m") < 3'},
    "on_change": {
        "when": {"event": {"source": "orders", "operations": ["update", "delete"]}}, "guards": {"cool_down": "6m"},
    },
    "on_best": {"when": {"enter": "best"}, "guards": {"consent": "sms/marketing"}},
    "on_poor": {"when": {"leave": "rich"}, "if": "rfm.member", "guards": {"cool_down": "9m"}},
    "on_top": {"when": {"enter": "segment:Top"}, "for": "4m"},
    "off_day": {"when": {"leave": "segment:mean/重要价值"}, "purpose": "transactional", "guards": {"once": True}},
    "held": {"when": {"enter": "busy"}, "if": 'count(views, "10m") == 0', "for": "5m"},
    "patient": {"when": {"event": {"source": "orders"}}, "if": 'count(views, "10m") > 0', "for": "3m"},
    "no_order": {
        "when": {"absence": {"after": {"source": "orders", "where": "gift"}, "of": {"source": "orders", "where": "!gift"},
                             "within": "8m"}},
        "guards": {"consent": "sms/marketing", "cool_down": "20m", "max_age": "12m"},
    },
    "unseen": {
        "when": {"absence": {"after": {"source": "orders"}, "of": {"source": "views"}, "within": "3m"}},
        "guards": {"max_age": "9m"}, "purpose": "transactional",
    },
    "on_click": {
        "when": {"event": {"source": "clicks", "operations": ["insert", "delete"]}}, "priority": 5,
        "guards": {"hold_out": 30, "quiet_hours": {"from": "00:20", "until": "23:50", "then": "drop"}},
    },
    "noon": {"when": {"schedule": {"at": "00:05"}}, "if": 'count(orders, "day offset 1") > 0'},
    "quiet": {"when": {"enter": "deep"}, "status": "shadow"},
    "stopped": {"when": {"enter": "good"}, "status": "paused"},
}  # fmt: skip


GUARDS: dict[str, Any] = {
    "hold_out": 20, "salt": "small", "quiet_hours": {"from": "00:02", "until": "00:09", "then": "hold"},
    "caps": {"few": {"most": 2, "within": "15m"}, "orders": {"most": 1, "within": "4m", "triggers": ["on_order", "patient"]}},
}  # fmt: skip


@dataclass(frozen=True)
class Place:
    """Where a shop is and the minute at which its logs begin: something happens to its calendar soon after."""

    zone: str
    begin: datetime

    @property
    def start(self) -> int:
        """The epoch minute."""
        return int(self.begin.timestamp()) // 60

    def midnight(self, day: date) -> int:
        """The epoch minute at which a local day begins."""
        return int(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(self.zone)).timestamp()) // 60


PLACES = (
    # a Sunday of 23 hours, then a new week and a new month
    Place("Europe/London", datetime(2020, 3, 28, 23, 40, tzinfo=ZoneInfo("Europe/London"))),
    # a leap day and a new month
    Place("Asia/Shanghai", datetime(2020, 2, 28, 23, 50, tzinfo=ZoneInfo("Asia/Shanghai"))),
    # a Sunday of 25 hours and a new month
    Place("America/New_York", datetime(2020, 10, 31, 23, 45, tzinfo=ZoneInfo("America/New_York"))),
    # a Sunday without midnight
    Place("America/Sao_Paulo", datetime(2018, 11, 3, 23, 30, tzinfo=ZoneInfo("America/Sao_Paulo"))),
)


@dataclass(frozen=True)
class Small:
    """One of the shops: its declarations, the engine's plan of them and the reference's reading."""

    place: Place
    shop: Shop
    plan: Plan
    pieces: Pieces


def metric_texts(number: int) -> list[str]:
    """Return the metrics of the shop of that number: each of all functions and windows stands in one of four."""
    every = [f'{function}(orders.amount, "{window}")' for function in FUNCTIONS for window in WINDOWS]
    mixed = [
        f'{FUNCTIONS[(i + j) % 8]}(orders.price, "{WINDOWS[(3 * i + j) % 16]}", {FILTERS[j]})'
        for i in range(8)
        for j in range(4)
    ]
    return every[number::4] + mixed[number::4] + list(OTHERS)


def declared(number: int, **changes: Any) -> Shop:
    """Return the shop of a number; ``changes`` replace some of its parts."""
    parts: dict[str, Any] = {
        "settings": {
            "name": f"small {number}", "zone": PLACES[number].zone, "groups": GROUPS, "guards": GUARDS,
        },
        "sources": {name: {"name": name, **source} for name, source in SOURCES.items()},
        "metrics": {f"m{i}": text for i, text in enumerate(metric_texts(number))},
        "rfm": MODELS,
        "tags": {name: {"name": name, **tag} for name, tag in TAGS.items()},
        "triggers": {name: {"name": name, "action": {"channel": "sms"}, **t} for name, t in TRIGGERS.items()},
        "channels": {"sms": {}},
    }
    return Shop.model_validate(parts | changes)


@lru_cache
def small(number: int) -> Small:
    """Return the shop of a number with its plan."""
    shop = declared(number)
    return Small(PLACES[number], shop, build(shop), Pieces.of(shop, shop.triggers))
