"""Killed at any moment, a shop goes on as if nothing had been (L1, P3 to P5)."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from app.embedded import STORE_FOLDER
from app.history_folder import HISTORY_FOLDER
from app.load import load_shop
from app.sending.courier_relay import NAME
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.life import State
from sinks.deliveries.tag_changes import tag_changes_after
from sinks.history.embedded import ChdbHistory
from sinks.store.server import EmbeddedServer
from sinks.store.store import Store
from streams.dead.letters import letters
from streams.log.log import Log
from tests.app.killed import until_it_ends, within
from tests.app.killed_shop import batch
from tests.app.little_shop import write_shop
from tests.app.stored import FromScratch, effects_of, profiles_of

LONG = os.environ.get("TINTYPE_LONG") == "1"
ROWS = 200
BATCHES = 1000 if LONG else 150
KILLS = 25 if LONG else 8

SHOP = {
    "metrics.yaml": 'spend: sum(orders.amount, "365d")\nbusy: count(orders, "30m")\n',
    "tags/busy.yaml": "rule: busy >= 3\n",
    "tags/busy.test.yaml": None,
    "triggers/hello.yaml": "when: {enter: vip}\naction: {channel: sms, template: hi, values: {fen: spend}}\n",
    "triggers/often.yaml": "when: {enter: busy}\nguards: {cool_down: 20m}\n"
    "action: {channel: sms, template: hi, values: {fen: spend}}\n",
    "channels.yaml": "sms:\n  providers: [{kind: file, path: sent.jsonl}]\n"
    "  templates:\n    hi: 'you spent {{ fen }}'\n",
}


@pytest.mark.parametrize("partitions", [1, 4] if LONG else [4])
def test_killed_again_and_again_nothing_is_lost_and_nothing_done_twice(
    tmp_path: Path, partitions: int
) -> None:
    """kill -9 at random moments: each profile equals the recompute, each decision is there once."""
    folder = tmp_path / "shop"
    toml = f'name = "Test"\nzone = "UTC"\npartitions = {partitions}\n\n[groups]\nvalue = ["vip", "普通"]\n'
    write_shop(folder, {**SHOP, "tintype.toml": toml})
    command = ["tests.app.killed_shop", str(folder), str(BATCHES), str(ROWS)]
    killed = until_it_ends(command, KILLS, within(random.Random(partitions), 1.5, 6.0), 600)
    assert killed >= min(KILLS, 3), "the shop was too fast to be killed: give it more batches"
    check(folder, partitions)


def check(folder: Path, partitions: int) -> None:
    shop = load_shop(folder)
    server = EmbeddedServer(folder / "data" / STORE_FOLDER)
    try:
        with Log.open(folder / "data") as log:
            store, ledger = Store(server.client, "Test"), Ledger(folder / "data", write=False)
            scratch = FromScratch(log, shop)
            assert profiles_of(store, shop, partitions) == scratch.profiles()
            assert scratch.differences() == []
            decided = [one.id for one in scratch.made]
            assert len(set(decided)) == len(decided) > 20
            kept = ledger.after(0, 1_000_000)
            assert sorted(entry.decision.id for entry in kept) == sorted(decided)
            check_tag_changes(ledger, scratch)
            check_effects(folder, store, [digest.count for digest in scratch.replay.engine.digests])
            sent = (folder / "data" / "sent.jsonl").read_text(encoding="utf-8").splitlines()
            assert len(set(sent)) == len(sent)
            acted = sum(one.outcome == "act" for one in scratch.made)
            assert ledger.count(State.CLAIMED) == 0
            waiting = ledger.unknown() + ledger.count(State.QUEUED) + ledger.count(State.EXPIRED)
            assert ledger.count(State.SENT) <= len(sent) <= acted
            assert ledger.count(State.SENT) + waiting == acted
            sent_in = [message for number in range(BATCHES) for message in batch(number, ROWS)]
            broken = {one.place for one in sent_in if not (one.value or b"").endswith(b"}")}
            assert {letter.place for letter in letters(log, limit=10_000)} == broken
            ledger.close()
    finally:
        server.stop()


def check_tag_changes(ledger: Ledger, scratch: FromScratch) -> None:
    """Every change of a tag that was taken over is there once, as a replay has it, a partition's in order."""
    told = [one for _, one in tag_changes_after(ledger.connection, None, 1_000_000)[0]]
    drained = ledger.drained(NAME, scratch.log.partitions)
    assert len(told) > 100
    assert min(drained) > 0
    for partition, end in enumerate(drained):
        wanted = [one for one in scratch.moved if one.partition == partition and one.seq < end]
        assert [one for one in told if one.partition == partition] == wanted


def check_effects(folder: Path, store: Store, counts: list[int]) -> None:
    """Every effect is in history once, or still on its way there in the outbox."""
    history = ChdbHistory(folder / "data" / HISTORY_FOLDER)
    try:
        found = history.query("SELECT partition, seq FROM effects").to_pydict()
    finally:
        history.close()
    for partition, count in enumerate(counts):
        pairs = zip(found["partition"], found["seq"], strict=True)
        copied = [seq for part, seq in pairs if part == partition]
        assert len(set(copied)) == len(copied) > 0
        assert set(copied) | set(effects_of(store, len(counts))[partition]) == set(range(count))
