"""A shop that knows persons: names, phones and addresses are personal; and what it is told of two of them."""

from __future__ import annotations

import json
from pathlib import Path

from streams.message import Message
from tests.app.little_shop import write_shop

FILES: dict[str, str | None] = {
    "tintype.toml": 'name = "Test"\nzone = "UTC"\n\n[groups]\nvalue = ["vip", "普通"]\n',
    "sources/members.yaml": """\
key: [member_id]
references:
  - {type: member, column: member_id}
  - {type: phone, column: phone}
event_time: {column: joined}
columns:
  name: {type: text, personal: true, attribute: name}
  city: {type: text, attribute: city}
""",
    "sources/parcels.yaml": """\
key: [parcel_id]
via: {source: orders, column: order_id}
event_time: {column: created_at}
columns:
  recipient: {type: text, personal: true}
  carrier: {type: text}
""",
    "channels.yaml": """\
sms:
  providers: [{kind: file, path: sms.jsonl}]
  templates:
    hi: '{{ who }}, you spent {{ fen }}'
""",
    "triggers/hello.yaml": """\
when: {event: {source: orders}}
guards: {max_age: 365d}
action: {channel: sms, template: hi, values: {who: customer.name, fen: spend}}
""",
    "tags/vip.test.yaml": None,
}
# What a search of all files must not find of M1001 once they are erased, and must still find of M2002.
GONE = ("M1001", "13800001001", "李雷雷", "韩梅梅")
STAYS = ("M2002", "13900002002", "王小明")


def shop_of_persons(folder: Path) -> Path:
    """Write the shop's folder."""
    return write_shop(folder, FILES)


def message(source: str, number: int, **row: object) -> Message:
    """Return a row of a source as a message."""
    return Message(source, f"test:{source}/{number}", json.dumps(row, ensure_ascii=False).encode())


def story() -> list[Message]:
    """Return rows of M1001 and M2002, and broken ones of both, which become dead letters."""
    at = "2026-03-01 09:00"
    return [
        message("members", 1, member_id="M1001", phone="13800001001", joined=at, name="李雷雷", city="上海"),
        message("members", 2, member_id="M2002", phone="13900002002", joined=at, name="王小明", city="北京"),
        message("orders", 1, order_id=1, member_id="M1001", created_at=at, amount="20.00", status="paid"),
        message("orders", 2, order_id=2, member_id="M2002", created_at=at, amount="30.00", status="paid"),
        message("parcels", 1, parcel_id=1, order_id=1, created_at=at, recipient="韩梅梅", carrier="SF"),
        message("parcels", 2, parcel_id=2, order_id=2, created_at=at, recipient="王小明", carrier="SF"),
        message("orders", 3, order_id=3, member_id="M1001", created_at="soon", amount="20.00"),
        message("orders", 4, order_id=4, member_id="M2002", created_at="soon", amount="20.00"),
        Message("orders", "test:broken", b'{"order_id": 5, "member_id": "M1001", '),
    ]


def traces(folder: Path, texts: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return (file, text) wherever a text stands in the raw bytes of a file under a folder, as UTF-8 or as
    JSON writes it."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            raw = path.read_bytes()
            for text in texts:
                if text.encode() in raw or json.dumps(text)[1:-1].encode() in raw:
                    found.append((str(path.relative_to(folder)), text))
    return found
