"""A small shop at work with recommendation slots: teas that go together, and customers of every kind."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

from sinks.history.relay import HistoryRelay
from sinks.recommendations.shelves import Shelves
from tests.app.little_shop import GOOD
from tests.console.at_work import AtWork, at_work, wait_for

SLOTS = """\
catalogue:
  file: items.csv
  item: sku
  title: {zh: name_zh, en: name_en}
  category: kind
  price: price
  stock: stock
  margin: margin
interests:
  - {source: lines, item: sku, act: bought, weight: 3, where: pieces > 0}
  - {source: views, item: sku, act: viewed}
refresh_seconds: 1
slots:
  home:
    title: {zh: 猜你喜欢, en: For you}
    count: 3
    strategies: [similar, popular]
    personalised: {consent: web/profile}
  mail:
    strategies: [again, similar, popular in tag 茶客, popular]
    personalised: {unless_tag: 拒绝}
    rules: {in_stock: true, not_bought_within: 30d, max_per_category: 1}
    reasons: false
"""
ITEMS = """\
sku,name_zh,name_en,kind,price,stock,margin
T1,龙井,Longjing,green,128.00,5,40
T2,碧螺春,Biluochun,green,99.00,3,35
T3,普洱,Pu'er,dark,80.00,0,50
T4,白茶,White tea,white,60.00,9,20
C1,茶杯,Cup,ware,15.00,100,60
"""
FILES: dict[str, str | None] = {
    "tintype.toml": GOOD["tintype.toml"],
    "sources/lines.yaml": """\
key: [line]
references:
  - {type: member, column: member_id}
event_time: {column: at}
columns:
  sku: {type: text}
  pieces: {type: int}
""",
    "sources/views.yaml": """\
key: [view]
references:
  - {type: member, column: member_id}
event_time: {column: at}
columns:
  sku: {type: text}
""",
    "sources/agreed.yaml": """\
kind: consent
key: [member_id]
references:
  - {type: member, column: member_id}
event_time: {column: at}
""",
    "tags/茶客.yaml": 'rule: count(lines, "365d") >= 3\n',
    "tags/拒绝.yaml": "{}\n",
    "sources/marks.yaml": """\
kind: tags
key: [member_id, tag]
references:
  - {type: member, column: member_id}
event_time: {column: at}
""",
    "recommendations.yaml": SLOTS,
    "items.csv": ITEMS,
}
AT = "2026-02-20 10:00"


def line(number: int, member: str, sku: str, at: str = AT, pieces: int = 1) -> dict[str, Any]:
    return {"line": str(number), "member_id": member, "sku": sku, "at": at, "pieces": pieces}


def agreed(member: str, granted: bool = True) -> dict[str, Any]:
    told = {"channel": "web", "purpose": "profile", "granted": granted, "until": None}
    return {"member_id": member, "at": AT, **told}


def fill(shop: AtWork) -> None:
    """M1 to M4 buy T1 with T2, M5 T3 with C1; M6 has bought T1 alone and agreed."""
    rows = [line(2 * n + at, f"M{n}", sku) for n in range(1, 5) for at, sku in enumerate(("T1", "T2"))]
    rows += [line(20, "M5", "T3"), line(21, "M5", "C1"), line(22, "M6", "T1"), line(23, "M7", "T4")]
    rows += [line(24, "M6", "T3", pieces=-1)]
    shop.send("lines", *rows)
    shop.send("agreed", agreed("M6"), agreed("M5", granted=False))


def settled(shop: AtWork) -> None:
    """Wait until customers' rows that were sent are in the store."""
    customers = Shelves(shop.opened.store.client, "Test", 1)
    before = customers.standing()
    steps = sum(shop.opened.log.next_steps())

    def is_read() -> bool:
        standing = customers.standing()
        ends = {} if standing is None else standing.ends
        last = max((end for table in ends.values() for end in table.values()), default=0)
        return standing != before and last >= steps - 1

    wait_for(is_read)


@contextlib.contextmanager
def recommending_shop(folder: Path, before: Callable[[AtWork], None] = lambda _: None) -> Iterator[AtWork]:
    """Set it to work; before: called with the shop before the first row that counts."""
    quickly = partial(HistoryRelay, seconds=0.05)
    with mock.patch("app.sending.relays.HistoryRelay", quickly), at_work(folder, FILES) as shop:
        before(shop)
        fill(shop)
        settled(shop)
        yield shop
