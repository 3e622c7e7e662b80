"""A small sound shop, written into a folder, with some of its files changed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

GOOD = {
    "tintype.toml": 'name = "Test"\nzone = "Asia/Shanghai"\n\n[groups]\nvalue = ["vip", "普通"]\n',
    "sources/orders.yaml": """\
key: [order_id]
references:
  - {type: member, column: member_id}
event_time: {column: created_at}
columns:
  amount: {type: decimal, scale: 2, currency: CNY}
  status: {type: text}
""",
    "sources/refunds.yaml": """\
key: [refund_id]
via: {source: orders, column: order_id}
event_time: {column: created_at}
columns:
  amount: {type: decimal, scale: 2, currency: CNY}
""",
    "metrics.yaml": 'spend: sum(orders.amount, "365d")\n',
    "rfm.yaml": """\
window: 365d
frequency: count(orders)
monetary: sum(orders.amount)
segments:
  - {name: Best, r: [4, 5], f: [4, 5], m: [1, 5]}
""",
    "tags/vip.yaml": "group: value\nrule: spend >= 500000\n",
    "tags/普通.yaml": "group: value\nrule: spend > 0\n",
    "triggers/hello.yaml": """\
when: {enter: vip}
guards: {consent: sms/marketing, cool_down: 30d}
action: {channel: sms, template: hi, values: {fen: spend}}
""",
    "channels.yaml": "sms:\n  templates:\n    hi: 'you spent {{ fen }}'\n",
    "tags/vip.test.yaml": """\
start: 2026-03-01 09:00
customer: member:M1
cases:
  - name: an order
    steps:
      - insert:
          orders:
            - {order_id: 1, member_id: M1, amount: 9.99}
        expect: {not_tags: [vip]}
""",
}


NO_SHADOW = "\n[triggers]\nshadow_first = false\n"


def write_shop(folder: Path, changes: Mapping[str, str | None]) -> Path:
    """Write the shop, with changes. Its triggers go live at once, unless its tintype.toml has [triggers]."""
    for name, text in {**GOOD, **changes}.items():
        if text is not None:
            if name == "tintype.toml" and "[triggers]" not in text:
                text += NO_SHADOW
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return folder
