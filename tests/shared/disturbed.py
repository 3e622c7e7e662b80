"""A feed as bad as feeds get: one customer has a third of it, rows are late; and its deliveries."""

from __future__ import annotations

import random

import msgspec

from streams.message import Message
from tests.shared.small_shop import Feed

WINDOWS = {
    "spent of 7 days": 'sum(orders.amount, "7d")', "orders of 30 days": 'count(orders, "30d")',
    "views of an hour": 'count(views, "1h")', "places of a day": 'distinct(scans.place, "1d")',
}  # fmt: skip
DAY_MS, MINUTE_MS = 86_400_000, 60_000
LATE_MS, SKEW_MS, SHUFFLED_MS = 30 * DAY_MS, 5 * MINUTE_MS, 10 * MINUTE_MS
HEAVY = "M0"
MESSAGE_MS = 5_000  # a message of a lane each five seconds


class Disturbed(Feed):
    """One member of eight has a third of what members do; a fifth of the rows is up to 30 days late, and
    clocks are up to five minutes off."""

    def _member(self, random_: random.Random) -> str:
        return HEAVY if random_.random() < 0.4 else f"M{1 + random_.randrange(7)}"

    def _at(self, random_: random.Random) -> int:
        late = random_.randrange(LATE_MS) if random_.random() < 0.2 else 0
        return self.start_ms - late + random_.randint(-SKEW_MS, SKEW_MS)


def share(feed: Feed, member: str) -> float:
    """Return which share of the rows written for members is this one's."""
    messages = [one for lane in feed.topics.values() for one in lane]
    rows = [msgspec.json.decode(one.value or b"{}")["after"] or {} for one in messages]
    members = [one["member"] for one in rows if "member" in one]
    return members.count(member) / len(members)


def delivered(feed: Feed, seed: int) -> Feed:
    """Return the feed as it is delivered another time: 0 to 20 % of it twice, all of it up to ten minutes out
    of order."""
    random_ = random.Random(seed)
    share = random_.random() * 0.2
    topics = {}
    for topic, messages in feed.topics.items():
        due: list[tuple[float, Message]] = []
        for number, message in enumerate(messages):
            for _ in range(1 + (random_.random() < share)):
                due.append((MESSAGE_MS * number + random_.uniform(0, SHUFFLED_MS), message))
        due.sort(key=lambda one: one[0])
        topics[topic] = [
            Message(one.source, f"{topic}/{at}", one.value, one.key) for at, (_, one) in enumerate(due)
        ]
    return Feed(feed.seed, feed.lanes, topics, feed.rows, feed.position, feed.start_ms)
