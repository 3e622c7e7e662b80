"""What tests of migrations compare, once workers go on in the new log."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd

from sinks.deliveries.logged import LedgerCopy
from streams.changes.reading import fetches
from streams.changes.topics import Topics
from streams.migrate.send import read_progress
from streams.worker.log_reader import LogReader
from tests.servers.cluster import Cluster
from tests.shared.simulation import held as held_of
from tests.shared.small_shop import Feed


def drained_of(shop: Cluster) -> tuple[int, ...]:
    """Return how many effects of each partition the former shop has brought about."""
    reader = LogReader(shop.kafka.address, Topics(shop.name))
    progress = read_progress(reader, Topics(shop.name))
    reader.close()
    assert progress is not None
    assert progress.stage == "done"
    return progress.drained


def codes_of(shop: Cluster, folder: Path) -> list[tuple[str, str]]:
    """Return (pool, code) of the codes that the ledger has, in the order in which they are given out."""
    with closing(LedgerCopy(folder)) as copy:
        for _, records in fetches(shop.kafka.address, Topics(shop.name).ledger, {0: 0}):
            copy.follow([(record.offset, record.value) for record in records])
        return copy.rows("SELECT pool, code FROM coupon ORDER BY place")


def is_settled(shop: Cluster, folder: Path, drained: tuple[int, ...]) -> bool:
    """Whether all that was sent is in the store, and all effects since the migration are in their topic."""
    if shop.lag():
        return False
    copies = shop.copies(folder)
    ends = [one.log.next_step(0) for one in copies]
    for one in copies:
        one.close()
    heads, told = shop.heads(), shop.tag_changes()
    shop.looked = f"heads {heads}, ends {ends}, told {({at: len(one) for at, one in told.items()})}"
    return [head.step for head in heads] == ends and all(
        len(told.get(number, [])) == head.effects - drained[number] for number, head in enumerate(heads)
    )


def profiles_of(found: dict[str, Any]) -> dict[str, Any]:
    return {id_: (one["metrics"], sorted(one["tags"]), one["rfm"]) for id_, one in found.items()}


def check_goes_on(shop: Cluster, feed: Feed, folder: Path, drained: tuple[int, ...]) -> None:
    """Profiles equal the recompute from the log, what is counted equals that from the sources' messages, and
    of the effects those since the migration are in their topic, each once."""
    shop.stop()
    recomputed, held, effects = shop.recomputed(folder / "whole")
    assert shop.profiles() == recomputed
    fresh = {
        number: [one for one in mine if one["seq"] >= drained[number]] for number, mine in effects.items()
    }
    assert shop.tag_changes() == {number: mine for number, mine in fresh.items() if mine}
    wanted = held_of(shop.shop, feed, folder / "sources")
    for name in ("metrics", "truth"):
        mine = held[name].reindex(columns=wanted[name].columns)
        columns = [one for one in mine.columns if not str(one).startswith("rfm")]
        pd.testing.assert_frame_equal(wanted[name][columns], mine[columns], check_dtype=False, obj=name)
