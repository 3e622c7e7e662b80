"""`tintype audit --cluster`: the store beside a recompute from the topics, on real servers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from deploy.servers.places import Place
from tests.servers.checked import now_ms, send_more
from tests.servers.cluster import Cluster, cluster
from tests.servers.commands import Command, commands_on
from tests.shared.small_shop import Feed

Audit = Command


@pytest.fixture
def audit(
    shop: Cluster, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Audit:  # fmt: skip
    return partial(commands_on(shop, monkeypatch, capsys), "audit")


def documents(shop: Cluster) -> Iterator[tuple[bytes, bytes]]:
    """Yield key and document of each profile."""
    for key in shop.client.scan_iter(f"tintype:{{{shop.name}/*}}:profile:*"):
        raw: Any = shop.client.get(key)
        yield key, raw


@pytest.fixture
def shop(kafka: Place, redis_server: Place, name: str, tmp_path: Path) -> Iterator[Cluster]:
    with cluster(kafka, redis_server, name, tmp_path) as made:
        yield made


def test_a_cluster_passes_and_a_profile_that_was_tampered_with_is_named(
    shop: Cluster, audit: Audit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = Feed(31, start_ms=now_ms())
    shop.start("a")
    send_more(shop, feed, 300)
    shop.wait(lambda: shop.is_settled(tmp_path / "look"), "settled")
    shop.wait(lambda: all(shop.cuts(tmp_path / "cuts")), "cut points are in every partition", 150)
    shop.wait(lambda: shop.is_settled(tmp_path / "look"), "settled")
    code, told = audit("--lives", "all")
    assert (code, told["differences"]) == (0, [])
    assert told["profiles"] == told["customers"] == told["lives"] > 3
    assert told["compared"] >= 20 * told["profiles"]
    assert told["cuts"] > 0
    assert len(told["steps"]) == 4
    shop.stop()

    key, raw = next(one for one in documents(shop) if msgspec.json.decode(one[1])["rfm"]["rfm"])
    document, customer = msgspec.json.decode(raw), key.rpartition(b":")[2].decode()
    number = int(key.partition(b"}")[0].rpartition(b"/")[2])
    for change, what, held in (
        (lambda one: one["metrics"].update(spent=1), "metric spent", 1),
        (lambda one: one["attributes"].update(city="x"), "attribute city", "x"),
        (lambda one: one["rfm"]["rfm"].update(f=9), "rfm rfm.f", 9),
        (lambda one: one["rfm"]["rfm"].update(segment="x"), "rfm rfm.segment", "x"),
        (
            lambda one: one["tags"].update(big=None) if "big" not in one["tags"] else one["tags"].pop("big"),
            "tag big",
            "big" not in document["tags"],
        ),
        (lambda one: one["tags"].update(none=None), "tag none", True),
        (lambda one: one["metrics"].pop("spent"), "metric spent", "absent"),
        (lambda one: one["metrics"].update(more=None), "metric more", None),
        (lambda one: one.update(id="x"), "id", "x"),
    ):
        tampered = msgspec.json.decode(raw)
        change(tampered)
        shop.client.set(key, msgspec.json.encode(tampered))
        code, told = audit()
        differ = [tuple(one[name] for name in ("customer", "partition", "what", "held"))
                  for one in told["differences"]]  # fmt: skip
        assert (code, differ) == (1, [(customer, number, what, held)])
    shop.client.set(key, b"{")
    assert [one["held"] for one in audit()[1]["differences"]] == ["unreadable"]
    shop.client.delete(key)
    assert [(one["what"], one["held"]) for one in audit()[1]["differences"]] == [("profile", None)]
    shop.client.set(key, raw)
    nobody, places = "0" * 32, [f"tintype:{{{shop.name}/{one}}}:profile:{'0' * 32}" for one in range(4)]
    for place in places:
        shop.client.set(place, raw)
    found = [(one["customer"], one["what"]) for one in audit()[1]["differences"]]
    assert found == [(nobody, "partition")] * 3 + [(nobody, "profile")]
    shop.client.delete(*places)
    assert audit("--profiles", "all")[0] == 0
    assert audit("--profiles", "2")[1]["profiles"] == 2
    assert audit("--at", "2026-01-01 09:00")[0] == 2

    monkeypatch.setattr("app.cluster.audit._WAIT_SECONDS", 0.3)
    head = f"tintype:{{{shop.name}/{number}}}:head"
    position: Any = shop.client.hget(head, "position")
    shop.client.hset(head, "position", position + b"1")  # as the first sub-steps of a large commit leave it
    code, told = audit()
    assert code == 2
    assert told["errors"][0]["problem"].startswith(f"a commit of partition {number} is half done")


def test_it_passes_while_rows_come_and_settings_change(shop: Cluster, audit: Audit, tmp_path: Path) -> None:
    """Each of many looks is at one moment, wherever the workers are then."""
    feed = Feed(32, start_ms=now_ms())
    shop.start("a")
    shop.start("b")
    send_more(shop, feed, 100)
    shop.wait(lambda: len(shop.profiles()) > 3, "somebody is there")
    until, looks = time.monotonic() + 70, 0  # over a minute's opening
    while time.monotonic() < until or looks <= 3:  # a busy machine looks less often
        send_more(shop, feed, 40)
        if looks == 2:
            tag = shop.folder / "shop" / "tags" / "big.yaml"
            tag.write_text("rule: sum(orders.amount) > 1\n", "utf-8")
            shop.command("apply", str(shop.folder / "shop"))
        code, told = audit("--profiles", "100")
        assert (code, told["differences"]) == (0, [])
        looks += 1
    shop.wait(lambda: shop.is_settled(tmp_path / "look"), "settled")
    code, told = audit()
    assert (code, told["behind"], told["differences"]) == (0, 0, [])
