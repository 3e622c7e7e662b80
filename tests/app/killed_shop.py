"""A shop that is killed: `test_kills` runs it in a process of its own, with folder, batches, rows a batch.

Its clock is the number of batches taken, so that windows move; it sends every batch whose answer it has not
seen once more, as a client would.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

import app.owner
from app.embedded import open_embedded
from streams.message import Message

START_SECONDS = 29_540_000 * 60
SECONDS_A_BATCH = 90
MEMBERS = 300


def batch(number: int, rows: int) -> list[Message]:
    """Return the messages of one batch, always the same: orders new and changed, refunds, some malformed."""
    found = []
    chance = random.Random(number)
    for at in range(rows):
        order = number * rows + at
        if at and chance.random() < 0.3:
            order -= chance.randrange(min(order, 3 * rows) + 1)
        row: dict[str, object] = {
            "order_id": order, "member_id": f"M{int(MEMBERS * chance.random() ** 3)}",
            "created_at": "2026-03-01 10:00", "amount": f"{chance.randrange(1, 300_000) / 100:.2f}",
            "status": chance.choice(["created", "paid"]),
        }  # fmt: skip
        place = f"batch {number}:{at}"
        if chance.random() < 0.02:
            row = {"refund_id": order, "order_id": order - chance.randrange(5), "amount": "1.00",
                   "created_at": "2026-03-01 11:00"}  # fmt: skip
            found.append(Message("refunds", place, json.dumps(row).encode()))
        elif chance.random() < 0.002:
            found.append(Message("orders", place, b'{"order_id": ' + str(order).encode()))
        else:
            found.append(Message("orders", place, json.dumps(row).encode()))
    return found


def main() -> None:
    """Send what the file ``sent`` does not name yet, then stop by itself."""
    app.owner.SNAPSHOT_EVERY = 3000  # so that some are being written when the process is killed
    folder, batches, rows = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    sent = folder / "sent"
    done = int(sent.read_text(encoding="utf-8") or 0) if sent.exists() else 0

    def now() -> float:
        return START_SECONDS + done * SECONDS_A_BATCH

    with open_embedded(folder, now=now) as shop:
        shop.wait_until_ready()
        while done < batches:
            shop.service.accept(batch(done, rows), f"batch-{done}").result()
            done += 1
            sent.write_text(str(done), encoding="utf-8")


if __name__ == "__main__":
    main()
