"""The cut points that are told are the ones that score, for every method and unit (R3, R4)."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from app.load import load_shop
from app.runtime import Sandbox
from engine import overview
from engine.readout import frames, merged, tag_bits
from tests.app.little_shop import write_shop

START = 29_500_000  # epoch minute
MODEL = "- {{name: {name}, window: 365d, frequency: count(orders), monetary: sum(orders.amount), {how}}}\n"
FIXED = "fixed: {{recency: [{0}, {1}], frequency: [1, 2], monetary: [2000, 5000, 9000]}}"
MODELS = {
    "quantiles": "bins: 5",
    "quantile_days": "bins: 4, recency_unit: day",
    "fixed": "method: fixed, " + FIXED.format(9000, 30000),
    "fixed_days": "method: fixed, recency_unit: day, " + FIXED.format(7, 20),
    "mean": "method: mean",
    "mean_days": "method: mean, recency_unit: day",
}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    folder = tmp_path_factory.mktemp("overview")
    models = "".join(MODEL.format(name=name, how=how) for name, how in MODELS.items())
    shop = load_shop(write_shop(folder / "shop", {"rfm.yaml": models}))
    sandbox = Sandbox(shop, folder / "log")
    chance = random.Random(4)
    for number in range(120):
        minute = START + number * 300 + chance.randrange(300)
        moment = np.datetime64(minute, "m")
        row = {"order_id": number, "member_id": f"M{chance.randrange(50)}", "created_at": f"{moment}+00:00",
               "amount": f"{chance.randrange(1, 100)}.00", "status": "paid"}  # fmt: skip
        sandbox.advance_to(minute)
        sandbox.rows("orders", [row], minute, "insert")
    sandbox.advance_to(minute + 997)  # cut points of days move although nothing happens
    return sandbox


@pytest.mark.parametrize("name", MODELS)
def test_the_cut_points_told_give_everybody_their_scores(sandbox: Sandbox, name: str) -> None:
    engine = sandbox._replay.engine
    number = list(MODELS).index(name)
    cuts = overview.cut_points(engine, number)
    assert cuts is not None
    assert (cuts.minute is None) == name.startswith("fixed")
    table = merged([frames(partition, {}) for partition in engine.partitions])[f"rfm {name}"]
    people = table[table["r"].notna()]
    assert len(people) == 45
    columns = (people[column].astype(int).tolist() for column in ("recency", "frequency", "monetary", *"rfm"))
    for recency, frequency, monetary, *scores in zip(*columns, strict=True):
        assert scores == [
            1 + len(cuts.recency) - sum(recency >= cut for cut in cuts.recency),
            1 + sum(frequency >= cut for cut in cuts.frequency),
            1 + sum(monetary >= cut for cut in cuts.monetary),
        ]
    assert all(list(measure) == sorted(measure) for measure in (cuts.recency, cuts.frequency, cuts.monetary))


@pytest.mark.parametrize("name", MODELS)
def test_grid_and_segments_count_everybody_once(sandbox: Sandbox, name: str) -> None:
    engine = sandbox._replay.engine
    number = list(MODELS).index(name)
    table = merged([frames(partition, {}) for partition in engine.partitions])[f"rfm {name}"]
    customers, money = overview.grid(engine, number)
    people = table[table["r"].notna()]
    cells = [(people[letter].astype(int) - 1).to_numpy() for letter in "rf"]
    counted, summed = np.zeros_like(customers), np.zeros_like(money)
    np.add.at(counted, (cells[0], cells[1]), 1)
    np.add.at(summed, (cells[0], cells[1]), people["monetary"].astype(int).to_numpy())
    assert (customers == counted).all()
    assert (money == summed).all()
    assert customers.sum() == len(people)
    segments = overview.segment_sizes(engine, number)
    told = table[table["segment"].notna()].groupby("segment")["monetary"].agg(["size", "sum"])
    assert {name: (size, total) for name, size, total in segments if size} == {
        str(name): (row["size"], row["sum"]) for name, row in told.iterrows()
    }


def test_tag_sizes_count_holders(sandbox: Sandbox) -> None:
    engine = sandbox._replay.engine
    held = overview.tag_sizes(engine)
    assert held == {tag: int(tag_bits(engine.partitions[0], "member", tag).sum()) for tag in ("vip", "普通")}
    assert held["普通"] > 0


def test_before_the_first_cut_points_there_are_none(tmp_path: Path) -> None:
    shop = load_shop(write_shop(tmp_path / "shop", {}))
    sandbox = Sandbox(shop, tmp_path / "log")
    assert overview.cut_points(sandbox._replay.engine, 0) is None
