"""The shop at which bad input is thrown: a source for each way in, strict about what it takes."""

from __future__ import annotations

from pathlib import Path

FILES = {
    "tintype.toml": """\
name = "Bad"
zone = "Europe/Berlin"

[groups]
value = ["vip", "普通"]
""",
    "sources/orders.yaml": """\
key: [order_id]
references:
  - {type: member, column: member_id}
event_time: {column: created_at}
columns:
  amount: {type: decimal, scale: 2, currency: EUR, required: true, minimum: 0}
  pieces: {type: int, maximum: 1000}
  status: {type: text, allowed: [created, paid, 已取消]}
  gift: {type: bool}
  due: {type: time}
  birthday: {type: date}
""",
    "sources/refunds.yaml": """\
key: [refund_id]
via: {source: orders, column: order_id}
event_time: {column: created_at}
columns:
  amount: {type: decimal, scale: 2, currency: EUR}
""",
    "sources/lines.yaml": """\
key: [line_id]
references:
  - {type: member, column: member_id}
event_time: {column: created_at, format: epoch_ms}
columns:
  total: {type: decimal, scale: 2, currency: EUR, product: [price, quantity]}
""",
    "sources/sales.yaml": """\
format: {type: debezium}
key: [id]
references:
  - {type: member, column: member}
event_time: {column: sold_at, zone: Europe/Berlin}
columns:
  id: {type: int}
  amount: {type: decimal, scale: 2, currency: EUR}
  price: {type: decimal, scale: 4, wire: base64, wire_scale: 4}
  note: {type: text}
""",
    "sources/visits.yaml": """\
format: {type: canal}
key: [id]
references:
  - {type: member, column: member}
event_time: {column: at, zone: UTC}
columns:
  cost: {type: decimal, scale: 2}
""",
    "sources/calls.yaml": """\
format: {type: maxwell}
key: [id]
references:
  - {type: member, column: member}
event_time: {column: at, zone: UTC}
columns:
  seconds: {type: int}
""",
    "sources/agreed.yaml": """\
kind: consent
key: [member_id, channel, purpose]
references:
  - {type: member, column: member_id}
event_time: {column: at}
""",
    "sources/tagged.yaml": """\
kind: tags
key: [member_id, tag]
references:
  - {type: member, column: member_id}
event_time: {column: at}
""",
    "metrics.yaml": 'spend: sum(orders.amount, "365d")\ncalled: sum(calls.seconds, "30d")\n',
    "rfm.yaml": "window: 365d\nfrequency: count(orders)\nmonetary: sum(orders.amount)\n",
    "tags/vip.yaml": "group: value\nrule: spend >= 500000\n",
    "tags/普通.yaml": "group: value\nrule: spend > 0\n",
    "tags/talker.yaml": "rule: called > 600 && count(sales, \"30d\") >= 1\n",
}


def write_shop(folder: Path) -> Path:
    """Write the shop's files; return the folder."""
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder
