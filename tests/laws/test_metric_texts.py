"""Both readings call a metric by the same text, however it is written (semantics M3)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app import exits
from app.cli import main
from reference.pieces import measures_in
from rules.check import check_metric
from rules.parse import parse
from tests.app.little_shop import write_shop
from tests.rules.clothes_shop import SCHEMA

ONE = [
    ("count(orders, true)", "count(orders)"),
    ('count( orders , "720h",true )', 'count(orders, "30d")'),
    ('sum(orders.amount, "all", (true))', "sum(orders.amount)"),
    ('sum(orders.amount, "30d", !false)', 'sum(orders.amount, "30d", !false)'),
    ('sum(orders.amount, (status) != "new")', 'sum(orders.amount, status != "new")'),
    ("count(orders, gift)", "count(orders, gift)"),
    ('max(orders.amount, "day offset 0", gift && true)', 'max(orders.amount, "day", gift && true)'),
]


@pytest.mark.parametrize(("written", "text"), ONE)
def test_a_metric_has_one_text_in_both_readings(written: str, text: str) -> None:
    """M3: canonical windows, and no filter where every row passes."""
    (spec,) = check_metric(written, SCHEMA).metrics
    (measure,) = measures_in(parse(written))
    assert (spec.key, str(measure)) == (text, text)


def test_a_filter_that_is_plainly_true_makes_no_false_difference(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """M3, L3: in a metric, a tag's rule and an RFM model."""
    shop = write_shop(tmp_path / "little", {
        "metrics.yaml": 'spend: sum(orders.amount, "365d", true)\n',
        "tags/vip.yaml": "group: value\nrule: count(orders, true) > 1\n",
        "rfm.yaml": "frequency: count(orders, true)\nmonetary: sum(orders.amount, true)\n",
    })  # fmt: skip
    orders = tmp_path / "orders.csv"
    orders.write_text("order_id,member_id,created_at,amount,status\nA1,M1,2026-03-01 09:00,12.50,paid\n")
    assert main(["import", str(shop), str(orders)]) == exits.OK
    capsys.readouterr()
    code = main(["audit", str(shop), "--json"])
    told = json.loads(capsys.readouterr().out)
    assert (told["differences"], code) == ([], exits.OK)
    assert told["compared"] > 0
