"""Scores of the recompute against the published ones and against numbers worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from reference.cuts import (
    fixed_cuts,
    forward_score,
    mean_cut,
    quantile_cuts,
    recency_score,
    scores_of,
    segment_of,
    take_cuts,
)
from reference.history import History
from reference.pieces import Pieces
from reference.recompute import recompute_at
from rfm.model import RfmModel

DATA = Path(__file__).parents[3] / "shared" / "data"
DOCS = """Champions 5-5 5-5 5-5 · Potential Loyalist 3-5 3-5 2-5 · Loyal Customers 2-4 2-4 2-4 ·
Promising 3-4 1-3 3-5 · New Customers 4-5 1-3 1-5 · Can't Lose Them 1-2 3-4 4-5 · At Risk 1-2 2-5 4-5 ·
Need Attention 1-3 3-5 3-5 · About To Sleep 2-3 1-3 1-4 · Lost 1-1 1-5 1-5"""
VIGNETTE_NAMES = [
    "Champions", "Loyal Customers", "Potential Loyalist", "New Customers", "Promising", "Need Attention",
    "About To Sleep", "At Risk", "Can't Lose Them", "Lost",
]  # fmt: skip
VIGNETTE_R = ["4-5", "2-5", "3-5", "4-5", "3-4", "2-3", "2-3", "1-2", "1-1", "1-2"]
VIGNETTE_FM = ["4-5", "3-5", "1-3", "1-1", "1-1", "2-3", "1-2", "2-5", "4-5", "1-2"]


def model(**options: object) -> RfmModel:
    declared = {"frequency": "count(orders)", "monetary": "sum(orders.amount)"} | options
    return RfmModel.model_validate(declared)


def segments(table: list[tuple[str, str, str, str]]) -> list[dict[str, object]]:
    ranges = [[tuple(map(int, part.split("-"))) for part in row[1:]] for row in table]
    return [{"name": row[0], "r": r, "f": f, "m": m} for row, (r, f, m) in zip(table, ranges, strict=True)]


def docs_table() -> list[tuple[str, str, str, str]]:
    rows = [part.split() for part in DOCS.replace("\n", " ").split("·")]
    return [(" ".join(row[:-3]), row[-3], row[-2], row[-1]) for row in rows]


TABLES = {
    "published_customer_level_docs": docs_table(),
    "published_customer_level_old_vignette": list(
        zip(VIGNETTE_NAMES, VIGNETTE_R, VIGNETTE_FM, VIGNETTE_FM, strict=True)
    ),
}


@pytest.mark.data
@pytest.mark.parametrize("published", TABLES)
def test_all_published_scores_and_segments_of_the_r_package_come_out(published):
    """R3, segments by ordered ranges: 39,999 customers, 0 differences."""
    folder = DATA / "rfm-oracle"
    if not folder.exists():
        pytest.skip("../shared/data/rfm-oracle is absent")
    given = pd.read_csv(folder / "rfm_data_customer.csv.gz").set_index("customer_id")
    told = pd.read_csv(folder / f"{published}.csv.gz").set_index("customer_id").loc[given.index]
    declared = model(segments=segments(TABLES[published]))
    columns = [
        given[name].to_numpy(dtype=np.int64) for name in ("recency_days", "number_of_orders", "revenue")
    ]
    assert np.array_equal(columns[2], given["revenue"])  # whole units, so nothing was cut off
    cuts = take_cuts(declared, 0, *columns)
    assert cuts is not None
    r = recency_score(declared, cuts.recency, columns[0])
    f, m = forward_score(cuts.frequency, columns[1]), forward_score(cuts.monetary, columns[2])
    mine = pd.DataFrame({"r": r, "f": f, "m": m, "score": 100 * r + 10 * f + m}, index=given.index)
    mine["segment"] = [segment_of(declared, *row) for row in zip(r, f, m, strict=True)]
    theirs = told[["recency_score", "frequency_score", "monetary_score", "rfm_score", "segment"]]
    assert len(mine) == 39_999
    assert int((mine.to_numpy() != theirs.to_numpy()).sum()) == 0


@pytest.fixture(scope="module")
def retail(request):
    """Online Retail as a frame of the log: every line with a customer, key = its line number."""
    path = DATA / "online-retail.csv.gz"
    if not path.exists():
        pytest.skip("../shared/data/online-retail.csv.gz is absent")
    return pd.read_csv(path, dtype=str)


def retail_frame(lines: pd.DataFrame) -> pd.DataFrame:
    lines = lines[lines["CustomerID"].notna()].reset_index(drop=True)
    when = (
        pd.to_datetime(lines["InvoiceDate"], format="ISO8601")
        .to_numpy()
        .astype("datetime64[us]")
        .astype("int64")
    )
    price = (lines["UnitPrice"].astype(float) * 1000).round().astype("int64")
    count = len(lines)
    customer = lines["CustomerID"].str.removesuffix(".0").str.zfill(32)
    return pd.DataFrame({
        "partition": 0, "step": range(count), "minute": when // 60_000_000, "mode": "import", "op": 0,
        "key_high": -(2**63), "key_low": range(count), "epoch": 0, "position": 0, "offset": range(count),
        "customer": customer, "event_us": when,
        "amount": price * lines["Quantity"].astype("int64"), "invoice": lines["InvoiceNo"].astype("string"),
    })  # fmt: skip


@pytest.mark.data
def test_the_published_quartiles_of_online_retail_come_out(retail, shelf):
    """R1, R3: recency 17/50/143 days, frequency 17/42/102 lines, monetary 293.3625/648.075/1611.725."""
    declared = model(frequency="count(lines)", monetary="sum(lines.amount)", recency_unit="day", bins=4)
    invoices = model(name="invoices", frequency="distinct(lines.invoice)", monetary="sum(lines.amount)")
    pieces = Pieces(
        sources={"lines": shelf.source(amount="int", invoice="text")},
        models=[declared, invoices],
        metrics={"n": "distinct(lines.invoice)"},
    )
    frame = retail_frame(retail)
    history = History(pieces, {"lines": frame}, shelf.book(pieces).control())
    cuts = history.cuts(declared, 0)
    assert cuts is None
    day_end = history.span[1] + 1440  # the published reference: a day after the last line
    cuts = history.cuts(declared, day_end)
    assert cuts is not None
    assert [top / bottom for top, bottom in cuts.recency.exact] == [17, 50, 143]
    assert [top / bottom for top, bottom in cuts.frequency.exact] == [17, 42, 102]
    assert [top * 10 // bottom for top, bottom in cuts.monetary.exact] == [2933625, 6480750, 16117250]
    result = recompute_at(history, day_end)
    assert len(result.metrics) == 4372
    assert result.declared.loc["12347".zfill(32), "n"] == 7
    assert result.rfm["rfm"].loc["12347".zfill(32), "frequency"] == 182
    assert result.rfm["rfm"].loc["12346".zfill(32), "monetary"] == 0


def test_a_value_exceeds_a_cut_only_when_it_is_greater():
    """R3: equal is not greater; the cut of 10 and 20 lies at 15 exactly."""
    scale = quantile_cuts([10, 20], 2)
    assert [scale.exceeded(value) for value in (14, 15, 16)] == [0, 0, 1]


def test_the_seven_values_of_the_semantics_page_score_as_it_says():
    """R3: the worked example."""
    scale = quantile_cuts([100, 200, 300, 400, 1000, 5000, 7000], 5)
    values = np.array([100, 200, 300, 400, 1000, 5000, 7000])
    assert scale.exact == ((1100, 5), (1700, 5), (3800, 5), (21000, 5))
    assert forward_score(scale, values).tolist() == [1, 1, 2, 3, 4, 5, 5]
    assert recency_score(model(), scale, values).tolist() == [5, 5, 4, 3, 2, 1, 1]


def test_cut_points_agree_with_numpys_quantiles_where_floats_are_exact():
    """R3: linear interpolation, R's type 7."""
    random = np.random.default_rng(7)
    for bins in range(2, 11):
        values = random.integers(-1000, 1000, size=int(random.integers(1, 60)))
        told = np.quantile(values, np.arange(1, bins) / bins)
        mine = [top / bottom for top, bottom in quantile_cuts(values, bins).exact]
        assert np.allclose(mine, told, rtol=1e-12)


def test_cut_points_beyond_the_floats_stay_exact():
    """R3: whole numbers only; 2**60 and 2**60 + 2 differ by less than a float can tell."""
    scale = quantile_cuts([2**60, 2**60 + 2], 2)
    assert [scale.exceeded(2**60 + step) for step in (0, 1, 2)] == [0, 0, 1]


def test_the_mean_is_low_and_only_beyond_it_is_high():
    """R4: equal is low, for recency too, where less is high."""
    declared = model(method="mean")
    values = np.array([1, 2, 3])
    cuts = take_cuts(declared, 0, values, values, values)
    assert cuts is not None
    assert forward_score(mean_cut(values), values).tolist() == [1, 1, 2]
    assert recency_score(declared, cuts.recency, values).tolist() == [2, 1, 1]
    assert [scores_of(declared, cuts, v, v, v) for v in (1, 2, 3)] == [(2, 1, 1), (1, 1, 1), (1, 2, 2)]
    assert segment_of(declared, 2, 1, 2) == "重要发展"


def test_fixed_cuts_give_each_measure_its_own_bins():
    """R4, R3: bins = number of cuts + 1."""
    declared = model(method="fixed", fixed={"recency": [30, 90], "frequency": [1, 3, 10], "monetary": []})
    cuts = take_cuts(declared, 5, *[np.zeros(0, dtype=np.int64)] * 3)
    assert cuts is not None
    assert cuts.minute is None
    found = [scores_of(declared, cuts, r, f, 0) for r, f in ((30, 3), (31, 11), (91, 1))]
    assert found == [(3, 2, 1), (2, 4, 1), (1, 1, 1)]
    assert recency_score(declared, fixed_cuts([30, 90]), np.array([30, 31, 91])).tolist() == [3, 2, 1]


def test_the_first_orders_customer_has_no_score_until_the_next_minute_opens(shelf):
    """R3: no cut points are in force before an opening with somebody in the population."""
    book = shelf.orders(models=[model()])
    book.row("orders", 1, minute=100, amount=5)
    before, after = (book.at(minute).rfm["rfm"].iloc[0] for minute in (100, 101))
    assert before["frequency"] == 1
    assert before[["r", "f", "m", "score", "segment"]].isna().all()
    assert after["score"] == 511
    assert after["segment"] == "Others"


def test_cut_points_hold_while_the_population_is_empty(shelf):
    """R3, R5: when a later population is empty the cut points in force stay as they are."""
    book = shelf.orders(models=[model(window="10m", bins=2)])
    book.row("orders", 1, minute=100, amount=5, customer=1)
    book.row("orders", 2, minute=100, amount=9, customer=2)
    book.row("orders", 3, minute=500, amount=8, customer=3)
    result = book.at(500)
    assert result.cuts["rfm"] is not None
    assert result.cuts["rfm"].minute == 109  # the last opening that saw the two
    assert result.cuts["rfm"].monetary.exact == ((14, 2),)
    assert result.rfm["rfm"].loc[shelf.customer_id(3), "m"] == 2
    assert result.rfm["rfm"].loc[shelf.customer_id(1)].drop("member").isna().all()  # R2


def test_cut_points_that_a_delete_emptied_are_those_of_its_minutes_opening(shelf):
    """R3: the opening of the delete's own minute still saw the row."""
    book = shelf.orders(models=[model()])
    book.row("orders", 1, minute=100, amount=5)
    book.row("orders", 1, minute=120, op="delete")
    book.row("orders", 2, minute=300, amount=7)
    cuts = book.at(300).cuts["rfm"]
    assert cuts is not None
    assert cuts.minute == 120


def test_a_rows_own_minute_scores_it_with_the_cuts_of_its_opening(shelf):
    """R3, R5: the values are those at T, the cut points those taken when T opened."""
    book = shelf.orders(models=[model(bins=5)])
    for key, amount in enumerate((100, 200, 300, 400, 1000, 5000, 7000)):
        book.row("orders", key, minute=100, customer=key + 1, amount=amount)
    book.row("orders", 2, minute=110, customer=3, amount=900, event=100)
    scores = [int(book.at(at).rfm["rfm"].loc[shelf.customer_id(3), "m"]) for at in (109, 110, 111)]
    assert scores == [2, 4, 3]


def test_recency_in_days_grows_by_whole_days_since_the_order(shelf):
    """R1: floor of minutes / 1440."""
    book = shelf.orders(models=[model(recency_unit="day")])
    book.row("orders", 1, minute=100)
    values = [int(book.at(at).rfm["rfm"]["recency"].iloc[0]) for at in (100 + 1439, 100 + 1440)]
    assert values == [0, 1]


def test_recency_and_frequency_are_of_the_very_same_rows(shelf):
    """R1: an order that the frequency does not count has no recency, and monetary its own filter."""
    declared = model(
        frequency="distinct(orders.status, amount > 0)",
        monetary="sum(orders.amount) - sum(orders.amount, amount < 0)",
    )
    book = shelf.orders(models=[declared])
    book.row("orders", 1, minute=100, amount=10, status="x")
    book.row("orders", 2, minute=110, amount=10, status=None)
    book.row("orders", 3, minute=120, amount=-4, status="y")
    row = book.at(130).rfm["rfm"].iloc[0]
    assert [row["recency"], row["frequency"], row["monetary"]] == [30, 1, 20]


def test_recency_cuts_in_minutes_are_held_as_order_minutes(shelf):
    """R3, R5: with cuts of an older opening (120) an order of 90 is newer than the cut at order minute 75."""
    book = shelf.orders(models=[model(bins=2)])
    book.row("orders", 1, minute=50, customer=1, amount=1)
    book.row("orders", 2, minute=100, customer=2, amount=1)
    for key in (1, 2):
        book.row("orders", key, minute=120, customer=key, op="delete")
    book.row("orders", 3, minute=200, event=90, customer=3, amount=1)
    book.row("orders", 4, minute=200, event=75, customer=4, amount=1)
    book.row("orders", 5, minute=200, event=74, customer=5, amount=1)
    result = book.at(200)
    assert result.cuts["rfm"] is not None
    assert (result.cuts["rfm"].minute, result.cuts["rfm"].recency.exact) == (120, ((90, 2),))
    assert [int(result.rfm["rfm"].loc[shelf.customer_id(n), "r"]) for n in (3, 4, 5)] == [2, 2, 1]
