"""How old what the store serves is: an order of each partition that is changed again and again."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import msgspec

from streams.identity.partition import id_pairs, partitions_of
from tests.called import id_of
from tests.servers.cluster import Cluster
from tests.shared.small_shop import Feed


def members_of_all(partitions: int) -> dict[int, str]:
    """Return a member of each partition."""
    names = [f"S{number}" for number in range(partitions * 20)]
    numbers = partitions_of(*id_pairs([bytes.fromhex(id_of(f"member:{one}")) for one in names]), partitions)
    found = dict(zip(numbers.tolist(), names, strict=True))
    assert len(found) == partitions
    return found


@dataclass
class Probe:
    """Writes through a feed; ``seen``: one figure, in seconds, for each partition at each look."""

    shop: Cluster
    feed: Feed
    seen: list[float] = field(default_factory=list)
    _sent: list[float] = field(default_factory=list)  # when the amount 1, 2, ... was written

    def __post_init__(self) -> None:
        self._members = members_of_all(self.shop.shop.settings.partitions)

    def write(self) -> None:
        """Change each partition's order."""
        before = self.feed.counts()
        for member in self._members.values():
            self.feed.put("orders", f"of {member}", member=member, amount=len(self._sent) + 1, status="new")
        self._sent.append(time.monotonic())
        self.shop.send(self.feed.since(before))

    def look(self) -> None:
        """Note how long the oldest change waits that is not served yet."""
        now = time.monotonic()
        for partition, member in self._members.items():
            key = f"tintype:{{{self.shop.name}/{partition}}}:profile:{id_of(f'member:{member}')}"
            document = self.shop.client.get(key)
            served = msgspec.json.decode(document)["metrics"]["spent"] if document else 0
            waits = now - self._sent[served] if served < len(self._sent) else 0.0
            self.seen.append(waits)

    def said(self) -> str:
        """Return the figures in words."""
        found = sorted(self.seen)
        half, most = found[len(found) // 2], found[int(len(found) * 0.99)]
        return f"profile staleness over {len(found)} looks: p50 {half:.1f} s, p99 {most:.1f} s"
