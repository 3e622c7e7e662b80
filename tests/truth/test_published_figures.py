"""Figures that others published, through the import and the engine (semantics R1, R3)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from app.replay import new_engine
from app.shop import Settings, Shop
from engine.cuts import Cuts
from engine.engine import Engine
from engine.plan import build
from engine.readout import frames
from rfm.model import RfmModel, Segment
from streams.contract.source import Column, EventTime, Reference, Source
from streams.feed import batch_of
from streams.log.log import Log
from streams.personal.find import references_of
from tests.truth.conftest import imported, shared

MINUTES_A_DAY = 1440
LINE = [
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
]
DOCS = [
    ("Champions", "5-5 5-5 5-5"), ("Potential Loyalist", "3-5 3-5 2-5"), ("Loyal Customers", "2-4 2-4 2-4"),
    ("Promising", "3-4 1-3 3-5"), ("New Customers", "4-5 1-3 1-5"), ("Can't Lose Them", "1-2 3-4 4-5"),
    ("At Risk", "1-2 2-5 4-5"), ("Need Attention", "1-3 3-5 3-5"), ("About To Sleep", "2-3 1-3 1-4"),
    ("Lost", "1-1 1-5 1-5"),
]  # fmt: skip
VIGNETTE = [
    ("Champions", "4-5 4-5 4-5"), ("Loyal Customers", "2-5 3-5 3-5"), ("Potential Loyalist", "3-5 1-3 1-3"),
    ("New Customers", "4-5 1-1 1-1"), ("Promising", "3-4 1-1 1-1"), ("Need Attention", "2-3 2-3 2-3"),
    ("About To Sleep", "2-3 1-2 1-2"), ("At Risk", "1-2 2-5 2-5"), ("Can't Lose Them", "1-1 4-5 4-5"),
    ("Lost", "1-2 1-2 1-2"),
]  # fmt: skip


def segments(table: list[tuple[str, str]]) -> list[Segment]:
    """Read a published segment table."""
    found = []
    for name, text in table:
        r, f, m = ((int(part[0]), int(part[2])) for part in text.split())
        found.append(Segment(name=name, r=r, f=f, m=m))
    return found


def follow(shop: Shop, log: Log, minute: int) -> Engine:
    """Let an engine follow a log of one partition and stand at ``minute``."""
    engine = new_engine(shop, build(shop), 1, lambda *_: None)
    for block in log.blocks(0):
        encode, width = engine.partitions[0].encode_texts, engine.plan.dimensions["row_values"]
        engine.feed(
            0, batch_of(block, engine.plan.projection, encode, lambda *_: -1, width), block.first_step
        )
    engine.run()
    engine.advance(minute, 0)
    return engine


@pytest.fixture(scope="module")
def oracle_orders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """The R package's customer table as orders: the last carries the revenue, the others stand before it."""
    table = pd.read_csv(shared("rfm-oracle/rfm_data_customer.csv.gz"))
    last = pd.to_datetime(table["most_recent_visit"])
    copies = table["number_of_orders"].to_numpy()
    which = np.repeat(np.arange(len(table)), copies)
    back = np.concatenate([np.arange(n) for n in copies])
    orders = pd.DataFrame({
        "order": np.arange(len(which)),
        "customer": table["customer_id"].to_numpy()[which],
        "day": (last.to_numpy()[which] - back.astype("timedelta64[D]")).astype("datetime64[D]").astype(str),
        "revenue": np.where(back == 0, table["revenue"].to_numpy()[which], 0),
    })  # fmt: skip
    path = tmp_path_factory.mktemp("oracle") / "orders.csv"
    orders.to_csv(path, index=False)
    today = last + pd.to_timedelta(table["recency_days"], unit="D")
    assert today.nunique() == 1
    return path, int(today.iloc[0].timestamp() // 60)


def oracle_shop(table: list[tuple[str, str]]) -> Shop:
    """Declare the R package's data: an order is a row."""
    model = RfmModel(
        frequency="count(orders)",
        monetary="sum(orders.revenue)",
        recency_unit="day",
        segments=segments(table),
    )
    source = Source(
        name="orders", key=["order"], references=[Reference(type="customer", column="customer")],
        event_time=EventTime(column="day"), columns={"revenue": Column(type="int", required=True)},
    )  # fmt: skip
    return Shop(settings=Settings(name="oracle"), sources={"orders": source}, rfm=[model])


@pytest.mark.parametrize(
    ("table", "published"),
    [(DOCS, "published_customer_level_docs"), (VIGNETTE, "published_customer_level_old_vignette")],
)
def test_every_published_score_and_segment_of_39999_customers_is_met(
    table: list[tuple[str, str]], published: str, oracle_orders: tuple[Path, int], tmp_path: Path
) -> None:
    """Recency, count, amount, R, F, M, score and segment: 0 differences (R1, R3)."""
    path, today = oracle_orders
    shop = oracle_shop(table)
    log = imported(tmp_path / "log", shop, [("orders", path)])
    held = frames(follow(shop, log, today).partitions[0], {})["rfm rfm"]
    told = {customer: references_of(log, bytes.fromhex(customer)) for customer in held.index}
    name_of = {customer: int(one.partition(":")[2]) for customer, [one] in told.items()}
    log.close()
    held = held.assign(customer_id=[name_of[one] for one in held.index]).set_index("customer_id").sort_index()
    wanted = pd.read_csv(shared(f"rfm-oracle/{published}.csv.gz")).set_index("customer_id").sort_index()
    assert len(held) == len(wanted) == 39_999
    pairs = {
        "recency": "recency_days", "frequency": "transaction_count", "monetary": "amount",
        "r": "recency_score", "f": "frequency_score", "m": "monetary_score",
        "score": "rfm_score", "segment": "segment",
    }  # fmt: skip
    for mine, theirs in pairs.items():
        assert (held[mine].to_numpy() != wanted[theirs].to_numpy()).sum() == 0, mine


def test_the_published_quartiles_of_online_retail_are_met(tmp_path: Path) -> None:
    """Lines as orders, the day after the last: 17/50/143 days, 17/42/102 lines, 293.3625/648.075/1611.725."""
    source = Source(
        name="lines",
        key=LINE,
        occurrence=True, references=[Reference(type="customer", column="CustomerID")],
        skip_without_customer=True,
        event_time=EventTime(column="InvoiceDate"),
        columns={"amount": Column(type="decimal", scale=3, product=["Quantity", "UnitPrice"])},
    )  # fmt: skip
    model = RfmModel(frequency="count(lines)", monetary="sum(lines.amount)", recency_unit="day", bins=4)
    shop = Shop(settings=Settings(name="online retail"), sources={"lines": source}, rfm=[model])
    log = imported(tmp_path / "log", shop, [("lines", shared("online-retail.csv.gz"))])
    clock = log.clock()
    assert clock is not None
    engine = follow(shop, log, clock + MINUTES_A_DAY)
    log.close()
    taken = Quartiles(engine)
    assert taken.size == 4372
    assert taken.recency_days() == [17, 50, 143]
    assert taken.quartiles("frequency") == [17, 42, 102]
    assert taken.quartiles("monetary") == [293.3625, 648.075, 1611.725]


class Quartiles:
    """The engine's population and cut points in the figures that people publish."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.cuts: Cuts = engine.cuts["rfm"]
        self.size = len(engine.populations[0].frequency)

    def recency_days(self) -> list[int]:
        """Return the quartiles of recency in whole days at the clock."""
        days = []
        for below, above, part in self.cuts.recency:
            low, high = ((self.engine.clock - minute) // MINUTES_A_DAY for minute in (below, above))
            days.append((low * (4 - part) + high * part) / 4)
        return [int(day) for day in days]

    def quartiles(self, measure: str) -> list[float]:
        """Return the quartiles of the very values that the engine's cut points came from."""
        values = getattr(self.engine.populations[0], measure)
        scale = 1000 if measure == "monetary" else 1
        least = getattr(self.cuts, measure)
        found = [float(q) for q in np.quantile(values, [0.25, 0.5, 0.75])]
        for q, threshold in zip(found, least, strict=True):  # the least whole number above the quartile
            assert threshold - 1 <= q < threshold
        return [q / scale for q in found]
