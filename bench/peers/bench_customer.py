"""What every generated customer shares: rows, the heap of what falls due, RFM by fixed cuts, the five
triggers.

Runs in the peers' own environment: imports nothing of Tintype.
"""

from __future__ import annotations

from bisect import bisect_right
from heapq import heappop, heappush
from typing import Any

MINUTE_US = 60_000_000
SOURCES = ("orders", "refunds", "tickets", "views")
RECENCY, FREQUENCY, MONETARY = (
    (28_800, 86_400, 172_800, 316_800),
    (1, 3, 6, 12),
    (5_000, 20_000, 60_000, 120_000),
)
STICKY = 120  # minutes, of tag a10
WITHIN = 120  # minutes, of the absence trigger
COOL_DOWN = 30 * 1440
MORNING = 90  # 09:30 in Shanghai is 01:30 UTC, in minutes of the day
NONE = (None,) * 16
NEVER = 1 << 60
LIVE_FROM = 0  # the minute from which decisions are made
EDGE, RECENT, ENDS, ABSENT, SCHEDULE = range(5)


class Base:
    """One customer. ``log``: transitions and decisions, taken out by the caller."""

    EDGES: dict[str, list[int]] = {}

    def begin(self, name: str) -> None:
        """Start empty."""
        self.name = name
        self.rows_orders: dict[int, list[Any]] = {}
        self.rows_refunds: dict[int, list[Any]] = {}
        self.rows_tickets: dict[int, list[Any]] = {}
        self.rows_views: dict[int, list[Any]] = {}
        self.heap: list[tuple[Any, ...]] = []
        self.next = NEVER  # the minute of the heap's first
        self.sequence = 0
        self.tags = 0
        self.until = 0  # of the sticky tag: 0 while its rule is true or the tag is not held
        self.truth = self.sticks = False
        self.last_minute = -1
        self.sent: dict[str, int] = {}
        self.log: list[tuple[Any, ...]] = []
        self.scheduled = 0

    def change(
        self, now: int, op: str, source: str, key: int, position: int, event_us: int, columns: list[Any]
    ) -> None:
        """Apply one change at minute ``now`` and judge."""
        if self.next <= now:
            self.advance(now)
        rows = getattr(self, f"rows_{source}")
        self.put(now, op, source, rows, key, position, event_us, columns)
        self.after(now)
        if op == "c":
            if source == "orders" and self.orders_365d == 3:  # type: ignore[attr-defined]
                self.decide("thanks", now)
            elif source == "refunds":
                due = event_us // MINUTE_US + WITHIN + 1
                if due <= now:  # a late row: due already
                    self.absent(now, key, event_us)
                else:
                    self.push(due, ABSENT, key, event_us)
            elif source == "views" and not self.scheduled:
                self.scheduled = now - now % 1440 + MORNING + (1440 if now % 1440 >= MORNING else 0)
                self.push(self.scheduled, SCHEDULE, 0, 0)

    def put(
        self,
        now: int,
        op: str,
        source: str,
        rows: dict[int, list[Any]],
        key: int,
        position: int,
        event_us: int,
        columns: list[Any],
    ) -> None:
        """Retract the row of a key and put the new one in."""
        old = rows.get(key)
        if old is not None:
            if position <= old[3]:
                return
            stage, old[2] = old[2], -1
            del rows[key]
            getattr(self, f"GO_{source}")[stage](self, old)
        if op == "d":
            return
        edges = self.EDGES[source]
        minute = event_us // MINUTE_US
        stage = bisect_right(edges, now - minute)
        if stage == len(edges):
            return
        row = [event_us, key, stage, position, *columns]
        rows[key] = row
        getattr(self, f"COME_{source}")[stage](self, row)
        self.push(minute + edges[stage], EDGE, source, row)

    def push(self, due: int, what: int, one: Any, two: Any) -> None:
        """Note what falls due at a minute."""
        self.sequence += 1
        heappush(self.heap, (due, self.sequence, what, one, two))
        self.next = min(self.next, due)

    def fallen(self, due: int) -> list[tuple[Any, ...]]:
        """Take out what falls due at the next minute: (what, one, two) each."""
        heap, found = self.heap, []
        while heap and heap[0][0] == due:
            found.append(heappop(heap)[2:])
        self.next = heap[0][0] if heap else NEVER
        return found

    def passed(self, source: str, row: list[Any]) -> None:
        """Note that a row has another stage: it is the row itself, here."""

    def advance(self, now: int) -> None:
        """Do what has fallen due up to ``now``, minute by minute."""
        while self.next <= now:
            due = self.next
            for what, one, two in self.fallen(due):
                if what == EDGE:
                    self.edge(due, one, two)
                elif what == ABSENT:
                    self.absent(due, one, two)
                elif what == SCHEDULE:
                    self.scheduled = 0
                    if self.views_10m > 0:  # type: ignore[attr-defined]
                        self.decide("morning", due)
                elif what == RECENT and one == self.last_minute:
                    self.watch_recency(due)
            self.after(due)

    def finish(self, now: int) -> None:
        """Bring a customer to a minute at the end of a stream."""
        self.advance(now)
        self.judge(now)  # type: ignore[attr-defined]

    def edge(self, due: int, source: str, row: list[Any]) -> None:
        """Let a row pass its next edge."""
        if row[2] < 0:
            return
        edges = self.EDGES[source]
        stage = row[2] + 1
        row[2] = stage
        if stage < len(edges):
            self.passed(source, row)
            self.push(row[0] // MINUTE_US + edges[stage], EDGE, source, row)
        else:
            row[2] = -1
            del getattr(self, f"rows_{source}")[row[1]]
        getattr(self, f"PASS_{source}")[stage - 1](self, row)

    def after(self, now: int) -> None:
        """Judge, once the rows are right."""
        last = self.rfm_last  # type: ignore[attr-defined]
        minute = last[0] // MINUTE_US if last is not None else -1
        if minute != self.last_minute:
            self.last_minute = minute
            if minute >= 0:
                self.watch_recency(now)
        self.judge(now)  # type: ignore[attr-defined]

    def watch_recency(self, now: int) -> None:
        """Note when recency exceeds its next cut."""
        exceeded = sum(now - self.last_minute > cut for cut in RECENCY)
        if exceeded < len(RECENCY):
            self.push(self.last_minute + RECENCY[exceeded] + 1, RECENT, self.last_minute, 0)

    def scores(self, now: int) -> tuple[int, int, int]:
        """Return R, F and M by the fixed cuts."""
        recency, paid = now - self.last_minute, self.rfm_paid - self.rfm_back  # type: ignore[attr-defined]
        r = (
            5
            - (recency > RECENCY[0])
            - (recency > RECENCY[1])
            - (recency > RECENCY[2])
            - (recency > RECENCY[3])
        )
        f = 1 + _exceeded(self.rfm_f, FREQUENCY)  # type: ignore[attr-defined]
        return r, f, 1 + _exceeded(paid, MONETARY)

    def held(self, true_now: bool, now: int) -> bool:
        """Return membership of the sticky tag, which outlives its rule by two hours."""
        if self.sticks and self.until and now >= self.until:
            self.sticks = False
        if true_now:
            self.sticks, self.until = True, 0
        elif self.truth and self.sticks:
            self.until = now + STICKY
            self.push(self.until, ENDS, 0, 0)
        self.truth = true_now
        return self.sticks

    def note(self, tags: int, now: int) -> None:
        """Write transitions down, and the triggers that rest on them."""
        changed = tags ^ self.tags
        self.tags = tags
        self.log.append((self.name, now, changed & tags, changed & ~tags))
        if changed & tags & 1 and self.views_90d > 5:  # type: ignore[attr-defined]
            self.decide("vip", now)
        if changed & ~tags & 2:
            self.decide("lost", now)

    def absent(self, due: int, key: int, event_us: int) -> None:
        """A refund after which no order came within two hours."""
        row = self.rows_refunds.get(key)
        if row is None or row[0] != event_us:
            return
        if not any(
            event_us < order[0] <= event_us + WITHIN * MINUTE_US for order in self.rows_orders.values()
        ):
            self.decide("browsed", due)

    def decide(self, trigger: str, now: int) -> None:
        """Record a decision, held back by the cool-down."""
        if now < LIVE_FROM:
            return
        last = self.sent.get(trigger)
        if last is None or now - last >= COOL_DOWN:
            self.sent[trigger] = now
            self.log.append((self.name, now, trigger, True))
        else:
            self.log.append((self.name, now, trigger, False))


def _exceeded(value: int, cuts: tuple[int, ...]) -> int:
    return (value > cuts[0]) + (value > cuts[1]) + (value > cuts[2]) + (value > cuts[3])
