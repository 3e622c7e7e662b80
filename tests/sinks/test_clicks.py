"""Clicks in the ledger: noted of deliveries, and of nothing else."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from sinks.deliveries.clicks import begun_by, click, untold
from sinks.deliveries.ledger import Ledger
from tests.sinks.dispatching import START, decided, route


def test_a_decision_without_a_delivery_has_no_link_and_a_click_on_it_changes_nothing(tmp_path: Path) -> None:
    """A record of the ledger that could not be posted would stop every copy of it for good."""
    with closing(Ledger(tmp_path)) as ledger:
        ledger.take("channels", [(decided(0), route()), (decided(1), None)], {0: 2})
        sent, shadow = decided(0).id, decided(1).id
        assert [one.id for _, one in begun_by(ledger, sent[:12])] == [sent]
        assert shadow[:12] == sent[:12]
        for number in (1, 2, 99):
            click(ledger, number, START)
        assert [one.number for one in untold(ledger, 10)] == [1]
        assert ledger.rows("SELECT number, times FROM click") == [(1, 1)]
