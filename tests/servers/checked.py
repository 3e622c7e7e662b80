"""What a test of workers sends, and what it compares at its end."""

from __future__ import annotations

import time
from collections.abc import Collection
from pathlib import Path

import pandas as pd

from tests.servers.cluster import Cluster
from tests.shared.simulation import held as held_of
from tests.shared.small_shop import Feed


def now_ms() -> int:
    """Return the beginning of the present minute, in ms since 1970."""
    return int(time.time()) // 60 * 60_000


def send_more(shop: Cluster, feed: Feed, changes: int) -> None:
    """Change rows and send what came of it."""
    before = feed.counts()
    feed.write(changes)
    shop.send(feed.since(before))


def settle(shop: Cluster, folder: Path, what: str = "settled", seconds: float = 120.0) -> None:
    """Wait until all that was sent is in the store, and all effects are in their topics."""
    shop.wait(lambda: shop.is_settled(folder / "look"), what, seconds)


def check(
    shop: Cluster, feed: Feed, folder: Path, but: Collection[str] = (), minute: int | None = None,
    of_tables: bool = False,
) -> None:  # fmt: skip
    """The profiles equal the recompute from the log; what is counted equals that from the sources' messages;
    each effect of the log is in its topic once, in order.

    minute: at which the messages are counted, where some are dated after the feed's first; of_tables: the
    feed has only rows that are there still, so that whose rows are all gone is not in it, and holds nothing.
    """
    shop.stop()
    documents, held, effects = shop.recomputed(folder / "whole")
    assert shop.profiles() == documents
    assert shop.tag_changes() == effects
    wanted = held_of(shop.shop, feed, folder / "sources", minute)
    for name in {"metrics", "truth"} - set(but):
        mine = held[name].reindex(columns=wanted[name].columns)
        columns = [one for one in mine.columns if not str(one).startswith("rfm")]
        if of_tables:
            assert not mine.drop(wanted[name].index)[columns].fillna(0).any(axis=None)
            mine = mine.loc[wanted[name].index]
        pd.testing.assert_frame_equal(wanted[name][columns], mine[columns], check_dtype=False, obj=name)
