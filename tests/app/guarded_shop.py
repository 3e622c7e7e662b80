"""A shop whose every order is an occasion of ten triggers; `test_guarded_kills` runs it in a process.

Half of the triggers are marketing, with every guard, half transactional, with none. Its clock is the number
of batches taken, and behind the last one of looks at what is not delivered, since some waits for the end of
quiet hours. It sends every batch whose answer it has not seen once more, as a client would, and ends by
itself when everything is delivered.
"""

from __future__ import annotations

import json
import random
import sys
import time
from pathlib import Path

import app.owner
from app.embedded import Embedded, open_embedded
from sinks.deliveries.life import State
from streams.control import switch
from streams.live import append_controls
from streams.message import Message
from tests.app.little_shop import GOOD
from tests.laws.effort import LONG

START_SECONDS = 29_540_000 * 60
SECONDS_A_BATCH, SECONDS_A_LOOK = 240, 300
MEMBERS = 20_000 if LONG else 2_000
KINDS = ("marketing", "transactional")
EACH = 5  # triggers of a kind
OFF = 25  # every so many batches the channel is switched off, for one batch

_CONSENT = """\
kind: consent
key: [member_id, channel, purpose]
references:
  - {type: member, column: member_id}
event_time: {column: changed_at}
"""
_GUARDS = """\
[guards]
hold_out = 3
quiet_hours = {from = "23:00", until = "07:00", then = "hold"}

[guards.caps]
hour = {most = 1, within = "1h", channels = ["sms"]}
day = {most = 3, within = "1d"}
"""


def files(partitions: int) -> dict[str, str | None]:
    """Return the shop's folder."""
    toml = f'name = "Test"\nzone = "UTC"\npartitions = {partitions}\n\n{_GUARDS}'
    found: dict[str, str | None] = dict.fromkeys(GOOD)
    found |= {name: GOOD[name] for name in ("sources/orders.yaml",)}
    found |= {"tintype.toml": toml, "sources/consents.yaml": _CONSENT}
    found["channels.yaml"] = (
        "sms:\n  expires: 30d\n  providers: [{kind: file, path: sent.jsonl}]\n  templates: {hi: hello}\n"
    )
    when = "when: {event: {source: orders}}\naction: {channel: sms, template: hi}\n"
    for number in range(EACH):
        guards = "{consent: sms/marketing, cool_down: 3h, hold_out: 5}" if number else "{once: true}"
        found[f"triggers/marketing_{number}.yaml"] = f"{when}guards: {guards}\npriority: {number}\n"
        found[f"triggers/transactional_{number}.yaml"] = f"{when}purpose: transactional\n"
    return found


def batch(number: int, rows: int) -> list[Message]:
    """Return the messages of one batch, always the same: orders, and consents given and withdrawn."""
    chance = random.Random(number)
    at_minute = time.strftime("%Y-%m-%d %H:%M", time.gmtime(_now(number)))
    found = []
    for at in range(rows):
        row: dict[str, object] = {
            "order_id": number * rows + at, "member_id": f"M{chance.randrange(MEMBERS)}",
            "created_at": at_minute, "amount": "1.00", "status": "paid",
        }  # fmt: skip
        found.append(Message("orders", f"batch {number}:{at}", json.dumps(row).encode()))
    members = range(MEMBERS) if number == 0 else chance.sample(range(MEMBERS), rows // 50)
    for member in members:
        said = {"member_id": f"M{member}", "channel": "sms", "purpose": "marketing",
                "granted": chance.random() < 0.7, "changed_at": at_minute}  # fmt: skip
        found.append(Message("consents", f"consents {number}:{member}", json.dumps(said).encode()))
    return found


def _now(number: int) -> float:
    return float(START_SECONDS + number * SECONDS_A_BATCH)


def _turn(shop: Embedded, number: int) -> None:
    turned = [switch("channel/sms", off=number % OFF == 0, reason="a test")]
    shop.service.change(lambda log, _, minute: append_controls(log, turned, minute)).result()


def main() -> None:
    """Send what the file ``sent`` does not name yet, wait until all is delivered, and stop."""
    app.owner.SNAPSHOT_EVERY = 20_000  # so that some are being written when the process is killed
    folder, batches, rows = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    sent, looked = folder / "sent", folder / "looked"
    done, looks = _number(sent), _number(looked)
    with open_embedded(folder, now=lambda: _now(done) + looks * SECONDS_A_LOOK) as shop:
        shop.wait_until_ready()
        while done < batches:
            if done and done % OFF in (0, 1):
                _turn(shop, done)
            shop.service.accept(batch(done, rows), f"batch-{done}").result()
            done += 1
            sent.write_text(str(done), encoding="utf-8")
        while not _is_there(shop, _now(done) + looks * SECONDS_A_LOOK) or not _is_delivered(shop):
            time.sleep(0.05)
            looks += _is_there(shop, _now(done) + looks * SECONDS_A_LOOK)
            looked.write_text(str(looks), encoding="utf-8")


def _number(file: Path) -> int:
    return int(file.read_text(encoding="utf-8") or 0) if file.exists() else 0


def _is_there(shop: Embedded, now: float) -> bool:
    """Whether the log's clock is at this time."""
    clock = shop.service.ask(lambda owner: owner.log.clock()).result()
    return clock is not None and clock >= now // 60


def _is_delivered(shop: Embedded) -> bool:
    counts = [digest.count for digest in shop.service.owner.engine.digests]
    ledger = shop.ledger
    waiting = ledger.count(State.QUEUED) + ledger.count(State.CLAIMED)
    return list(shop.relays.drained()) == counts and waiting == 0


if __name__ == "__main__":
    main()
