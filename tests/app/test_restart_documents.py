"""Which documents a restart writes: those that the store lacks, and no other."""

from __future__ import annotations

import pytest

from app.replay import Replay
from engine.documents import documents
from sinks.store.store import Commit, Store
from tests.app.shopkeeper import Shopkeeper
from tests.app.stored import FromScratch, profiles_of


@pytest.mark.parametrize("snapshot", [False, True])
def test_a_restart_writes_no_document_that_the_store_has(
    keeper: Shopkeeper, snapshot: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P5: the store's head tells, since it moves in one commit with the documents."""
    keeper.trade(5)
    owner = keeper.owner()
    owner.follow()
    if snapshot:
        owner.save_snapshot()
    for _ in range(4):
        keeper.trade(1, pause=False)
        owner.follow()
    written = documents_written(monkeypatch)
    keeper.owner().follow()
    assert written == []
    keeper.check()


def test_a_restart_writes_the_documents_of_what_changed_behind_the_store(
    keeper: Shopkeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P5: though the records before and behind it are of one minute, and are read at once."""
    keeper.trade(3)
    owner = keeper.owner()
    owner.follow()
    keeper.trade(2, pause=False)
    owner.follow()
    stood = [keeper.store.head(partition).step for partition in range(keeper.log.partitions)]
    keeper.trade(2, pause=False)
    written = documents_written(monkeypatch)
    keeper.owner().follow()
    assert sorted(written) == changed_behind(keeper, stood) != []
    assert len(written) < len(FromScratch(keeper.log, keeper.shop).profiles())
    keeper.check()


def changed_behind(keeper: Shopkeeper, steps: list[int]) -> list[bytes]:
    """Return the ids of the customers who change behind these steps, in order."""
    replay = Replay(keeper.log, keeper.shop, lambda *_: None)
    replay.follow(ends=steps)
    for partition in replay.engine.partitions:
        partition.take_changed()
    replay.follow()
    parts = replay.engine.partitions
    return sorted(one for part in parts for one, _ in documents(part, part.take_changed()))


def documents_written(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Return a list that gets the id of every customer whose document is written from now on."""
    written: list[bytes] = []
    commit = Store.commit

    def noting(store: Store, partition: int, given: Commit) -> None:
        commit(store, partition, given)
        written.extend(customer for customer, _ in given.documents)

    monkeypatch.setattr(Store, "commit", noting)
    return written


@pytest.mark.parametrize("snapshot", [False, True])
def test_documents_that_another_program_wrote_are_all_written_again(
    keeper: Shopkeeper, snapshot: bool
) -> None:
    """P6: after an upgrade the store serves what the new program says, of customers at rest too."""
    keeper.trade(5)
    owner = keeper.owner()
    owner.follow()
    if snapshot:
        owner.save_snapshot()
    client = keeper.server.client
    for key in client.keys("*profile:*"):
        client.set(key, '{"of": "before"}')
    for key in client.keys("*:head"):
        client.hset(key, "program", "before")
    keeper.owner().follow()
    keeper.check()


def test_a_store_older_than_the_snapshot_gets_every_document(keeper: Shopkeeper) -> None:
    """P5: of what changed between the two, the snapshot does not say."""
    keeper.trade(4)
    owner = keeper.owner()
    owner.follow()
    older = {key: keeper.server.client.dump(key) for key in keeper.server.client.scan_iter()}
    keeper.trade(6)
    owner.follow()
    owner.save_snapshot()
    keeper.drained = [keeper.store.head(partition).effects for partition in range(keeper.log.partitions)]
    keeper.server.client.flushall()
    for key, body in older.items():
        keeper.server.client.restore(key, 0, body)  # type: ignore[arg-type]  # redis types it too narrowly
    keeper.owner().follow()
    scratch = FromScratch(keeper.log, keeper.shop)
    assert profiles_of(keeper.store, keeper.shop, keeper.log.partitions) == scratch.profiles()
