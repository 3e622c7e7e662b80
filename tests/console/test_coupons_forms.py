"""Pools of codes as the API has them: the same of an embedded shop and of a cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import pytest

from console.cluster.coupons import ClusterCoupons
from console.embedded.coupons import LedgerCoupons
from console.form import Coupons
from console.problems import Problem
from sinks.coupons.codes import Loaded
from sinks.coupons.pool import Pool
from sinks.coupons.redeeming import Redemption
from sinks.deliveries import asked
from sinks.deliveries.ledger import Ledger
from tests.app.test_asking import Desk
from tests.sinks.dispatching import START


class Worker:
    """The one that sends, as the API reaches it: by a topic, and by a copy of its ledger."""

    def __init__(self, folder: Path) -> None:
        self.desk, self.at_work = Desk(folder), True
        self.seen: Ledger = self.desk.ledger
        self.sizes: list[int] = []

    def send(self, _: str, messages: Sequence[tuple[bytes | None, bytes]]) -> list[int]:
        first = self.seen.reached(asked.ASKED).get(0, 0)
        self.sizes += [len(value) for _, value in messages]
        if self.at_work:
            given = [asked.decoded(value) for _, value in messages]
            self.desk.asking.do(given, first + len(given))
        return list(range(first, first + len(messages)))

    def wait(self, offset: int, _: float) -> bool:
        return self.seen.reached(asked.ASKED).get(0, 0) > offset

    def close(self) -> None:
        self.desk.ledger.close()
        self.desk.revocations.close()


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    with closing(Worker(tmp_path)) as made:
        yield made


@pytest.fixture(params=["embedded", "cluster"])
def coupons(request: pytest.FixtureRequest, tmp_path: Path, worker: Worker) -> Iterator[Coupons]:
    if request.param == "cluster":
        yield ClusterCoupons(worker, worker, "asked")  # type: ignore[arg-type]  # all that it asks
        return
    with closing(Ledger(tmp_path / "own")) as written, closing(Ledger(tmp_path / "own", write=False)) as seen:
        yield LedgerCoupons(seen, written)


def test_codes_are_loaded_counted_found_and_redeemed(coupons: Coupons, worker: Worker) -> None:
    shop = worker.desk.shop.model_copy(update={"coupons": {"spring": Pool(), "summer": Pool()}})
    codes = [f"C{at}" for at in range(1200)]
    assert coupons.load("spring", [*codes, "C7"], 1.5) == Loaded(1200, 1)
    assert coupons.load("spring", [*codes, "D1"], 2.5) == Loaded(1, 1200)
    assert coupons.load("summer", ["C7"], 3.5) == Loaded(1, 0)
    found = coupons.find("spring", "C7")
    assert found is not None
    assert (found.loaded, found.claimed, found.odd) == (1.5, None, ())
    assert coupons.find("summer", "C8") is None
    first = Redemption("spring", "C7", "api o1", START)
    again = Redemption("spring", "C7", "api o2", START)
    odd = [coupons.redeem(one) for one in (first, again, first)]
    assert odd == ["never claimed", "again", "never claimed"]
    stands = asdict(coupons.standing(shop, "spring", START))
    assert (stands["loaded"], stands["left"], stands["redeemed"]) == (1201, 1200, 1)
    assert stands["odd"] == {"again": 1, "never claimed": 1}


def test_what_no_worker_has_done_yet_is_not_answered_as_done(worker: Worker) -> None:
    coupons, worker.at_work = ClusterCoupons(worker, worker, "asked"), False  # type: ignore[arg-type]
    with pytest.raises(Problem, match="no worker that sends has done it yet") as refused:
        coupons.load("spring", ["C1"], 1.5)
    assert refused.value.kind == "busy"
    with pytest.raises(Problem, match="no worker that sends"):
        coupons.redeem(Redemption("spring", "C1", "api", START))
    assert coupons.find("spring", "C1") is None


def test_ten_thousand_long_codes_are_messages_that_every_broker_takes(worker: Worker) -> None:
    coupons = ClusterCoupons(worker, worker, "asked")  # type: ignore[arg-type]  # all that it asks
    assert coupons.load("spring", [f"{at:0100}" for at in range(10_000)], 1.5) == Loaded(10_000, 0)
    assert max(worker.sizes) < 512 << 10
