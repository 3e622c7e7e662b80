"""The owner of a shop: commits, fences, and recovers from whatever the store or a snapshot has lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.commit import Committer
from app.owner import Owner
from sinks.store.store import Fenced, Store
from streams.errors import InputError
from tests.app.shopkeeper import Shopkeeper
from tests.app.stored import FromScratch, effects_of, profiles_of


def test_what_was_followed_is_served(keeper: Shopkeeper) -> None:
    """P3, P4: every profile, effect and digest is in the store after each batch."""
    keeper.trade(3)
    owner = keeper.owner()
    owner.follow()
    keeper.check()
    keeper.trade(10)
    owner.follow()
    keeper.check()


@pytest.mark.parametrize("snapshot", [False, True])
def test_a_new_owner_goes_on_where_the_store_stands(keeper: Shopkeeper, snapshot: bool) -> None:
    """Recovery: with a snapshot or without one nothing is written twice and nothing left out."""
    keeper.trade(5)
    owner = keeper.owner()
    owner.follow()
    if snapshot:
        owner.save_snapshot()
    keeper.trade(5)
    owner.follow()
    keeper.trade(5)
    keeper.owner().follow()
    keeper.check()


def test_a_replay_goes_on_in_the_middle_of_what_it_reads_at_once(keeper: Shopkeeper) -> None:
    """P3: effects of one stretch, of which the store has some, are written from the first that it lacks."""
    keeper.trade(2)
    owner = keeper.owner()
    for _ in range(4):
        keeper.trade(1, pause=False)
        owner.follow()
    keeper.trade(3, pause=False)
    keeper.owner().follow()
    keeper.check()


def test_a_former_owner_is_fenced(keeper: Shopkeeper) -> None:
    """A process that was paused while another took over writes nothing more."""
    keeper.trade(3)
    former = keeper.owner(Store(keeper.server.client, "Test"))
    former.follow()
    keeper.trade(3)
    keeper.owner().follow()
    keeper.trade(3)
    with pytest.raises(Fenced) as refused:
        former.follow()
    assert not refused.value.set_back
    keeper.owner().follow()
    keeper.check()


def test_a_former_owner_is_fenced_by_the_claim_alone(keeper: Shopkeeper) -> None:
    """Nobody has written since: the epoch is what tells."""
    keeper.trade(3)
    former = keeper.owner(Store(keeper.server.client, "Test"))
    former.follow()
    keeper.owner()
    keeper.trade(3)
    with pytest.raises(Fenced) as refused:
        former.follow()
    assert not refused.value.set_back


def test_a_store_set_back_under_its_owner_is_noticed(keeper: Shopkeeper) -> None:
    """The epoch is the owner's still: the position is what tells."""
    keeper.trade(3)
    owner = keeper.owner()
    owner.follow()
    older = {key: keeper.server.client.dump(key) for key in keeper.server.client.scan_iter()}
    keeper.trade(3)
    owner.follow()
    keeper.server.client.flushall()
    for key, body in older.items():
        keeper.server.client.restore(key, 0, body)  # type: ignore[arg-type]  # redis types it too narrowly
    keeper.trade(3)
    with pytest.raises(Fenced) as refused:
        owner.follow()
    assert refused.value.set_back
    keeper.owner().follow()
    keeper.check()


@pytest.mark.parametrize("snapshot", [False, True])
def test_an_emptied_store_heals(keeper: Shopkeeper, snapshot: bool) -> None:
    """P5: the store never holds the only copy of anything."""
    keeper.trade(5)
    owner = keeper.owner()
    owner.follow()
    if snapshot:
        owner.save_snapshot()
    keeper.server.client.flushall()
    keeper.trade(2)
    with pytest.raises(Fenced) as refused:
        owner.follow()
    assert refused.value.set_back
    keeper.owner().follow()
    keeper.check()


@pytest.mark.parametrize("snapshot", ["none", "before", "after"])
def test_a_store_set_back_to_an_older_second_heals(keeper: Shopkeeper, snapshot: str) -> None:
    """P5: documents, position and outbox as they were some commits ago come forward to the same."""
    keeper.trade(4)
    owner = keeper.owner()
    owner.follow()
    if snapshot == "before":
        owner.save_snapshot()
    older = {key: keeper.server.client.dump(key) for key in keeper.server.client.scan_iter()}
    keeper.trade(6)
    owner.follow()
    if snapshot == "after":
        owner.save_snapshot()
    keeper.server.client.flushall()
    for key, body in older.items():
        keeper.server.client.restore(key, 0, body)  # type: ignore[arg-type]  # redis types it too narrowly
    keeper.owner().follow()
    keeper.check()


def test_what_the_relays_have_drained_is_not_written_again(keeper: Shopkeeper) -> None:
    """P5: after a loss effects begin again at the oldest that somebody still needs."""
    keeper.trade(8)
    owner = keeper.owner()
    owner.follow()
    owner.save_snapshot()
    drained = [keeper.store.head(partition).effects for partition in range(keeper.log.partitions)]
    keeper.drained = drained
    keeper.server.client.flushall()
    keeper.trade(4)
    keeper.owner().follow()
    scratch = FromScratch(keeper.log, keeper.shop)
    assert profiles_of(keeper.store, keeper.shop, keeper.log.partitions) == scratch.profiles()
    for numbers, begin, digest in zip(
        effects_of(keeper.store, keeper.log.partitions), drained, scratch.replay.engine.digests, strict=True
    ):
        assert numbers == list(range(begin, digest.count))


def test_a_relay_that_lost_what_it_had_gets_it_again(keeper: Shopkeeper) -> None:
    """P5: history restored from an older copy needs effects that the outbox has dropped since."""
    keeper.trade(8)
    owner = keeper.owner()
    owner.follow()
    for partition in range(keeper.log.partitions):
        keeper.store.trim(partition, keeper.store.head(partition).effects)
    keeper.trade(4)
    owner.follow()
    keeper.owner().follow()
    keeper.check()


def test_a_log_that_was_changed_is_noticed(keeper: Shopkeeper) -> None:
    """P3: a replay that differs from what was committed stops instead of going on wrongly."""
    keeper.trade(6)
    keeper.owner().follow()
    first = keeper.log.connection.execute(
        "SELECT partition, first_step, minute FROM (SELECT partition, first_step, last_minute AS minute "
        "FROM block WHERE holds LIKE '%orders%' ORDER BY first_step LIMIT 1)"
    ).fetchone()
    keeper.log.connection.execute(
        "UPDATE block SET mode = 'import' WHERE partition = ? AND first_step = ?", first[:2]
    )
    with pytest.raises(InputError, match="the replay differs from what was committed before"):
        keeper.owner().follow()


def test_a_store_that_has_seen_more_than_the_log_is_refused(keeper: Shopkeeper) -> None:
    """A log that was set back must not quietly go another way: its effects are out already."""
    keeper.trade(4)
    keeper.owner().follow()
    keeper.server.client.hset("tintype:{Test/0}:head", "step", 10_000)
    with pytest.raises(InputError, match="but the store has seen 10000"):
        keeper.owner()


def test_an_unreadable_snapshot_is_passed_over(keeper: Shopkeeper) -> None:
    """A snapshot is a saved cache: the log has it all."""
    keeper.trade(4)
    owner = keeper.owner()
    owner.follow()
    folder = owner.save_snapshot()
    for file in folder.glob("*.npz"):
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    keeper.trade(4)
    said: list[str] = []
    keeper_owner = Owner(
        keeper.log, keeper.shop, keeper.data, keeper.store, keeper.drained, lambda _: None, said.append
    )
    keeper_owner.follow()
    keeper.check()
    assert any("this snapshot cannot be read" in line for line in said)


def test_a_server_that_may_evict_is_refused(keeper: Shopkeeper) -> None:
    """Keys that a server drops on its own are profiles that nobody knows to be missing."""
    client = keeper.server.client
    client.config_set("maxmemory-policy", "allkeys-lru")
    try:
        with pytest.raises(InputError, match="the server may drop keys when memory is short"):
            keeper.owner()
    finally:
        client.config_set("maxmemory-policy", "noeviction")


def test_large_advances_are_cut_into_sub_steps(
    keeper: Shopkeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P4: whatever the size of the parts, and wherever one fails, the end is the same."""
    monkeypatch.setattr("app.commit.DOCUMENTS", 3)
    monkeypatch.setattr("app.commit.PAGE", 2)
    keeper.trade(6)
    keeper.owner().follow()
    keeper.check()
    for failing in (1, 2, 4, 7):
        keeper.trade(4)
        with monkeypatch.context() as patched:
            patched.setattr(Committer, "_write", failing_at(failing, Committer._write))
            with pytest.raises(ConnectionAbortedError):
                keeper.owner().follow()
        keeper.owner().follow()
        keeper.check()


def failing_at(number: int, write: Callable[..., None]) -> Callable[..., None]:
    """Return a write that fails at its n-th call, with nothing written."""
    calls = iter(range(1, 1_000_000))

    def failing(*given: object) -> None:
        if next(calls) == number:
            raise ConnectionAbortedError
        write(*given)

    return failing
