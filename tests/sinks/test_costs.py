"""What messages cost: the parts of accepted attempts, at the present prices of who took them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from sinks.channels.channel import Channel
from sinks.channels.charging import prices_of
from sinks.channels.outcome import Accepted, Refused
from sinks.deliveries.delivery import Step
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.life import Event
from sinks.deliveries.listing import Wanted, counts
from tests.sinks.dispatching import START, queue

PRICES = {"sms/near": Decimal("0.045"), "sms/far": Decimal("0.3")}


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Two sent, of one and three parts, the second sent again by another; one was refused; one waits."""
    made = Ledger(tmp_path)
    queue(made, [1, 2, 3, 4])
    for number, provider, parts in ((1, "sms/near", 1), (2, "sms/near", 3)):
        made.write([Step(number, Event.CLAIM, START, provider)])
        made.write([Step(number, Event.ACCEPT, START, outcome=Accepted(f"r{number}", parts))])
    made.write([Step(2, Event.LOST, START), Step(2, Event.RESEND, START, due=START)])
    made.write([Step(2, Event.CLAIM, START, "sms/far")])
    made.write([Step(2, Event.ACCEPT, START, outcome=Accepted("r9", 2))])
    made.write([Step(3, Event.CLAIM, START, "sms/far")])
    made.write([Step(3, Event.GIVE_UP, START, outcome=Refused("give_up", "", "no"))])
    yield made
    made.close()


@pytest.mark.parametrize(
    ("prices", "costs"),
    [
        (PRICES, {"sent": "0.780", "failed": "0", "queued": "0"}),  # 4 x 0.045 + 2 x 0.3
        ({"sms/near": Decimal("0.045")}, {"sent": None, "failed": "0", "queued": "0"}),
        ({"mail/near": Decimal(1)}, {"sent": None, "failed": None, "queued": None}),
        ({}, {"sent": None, "failed": None, "queued": None}),
    ],
)
def test_the_cost_is_of_every_part_or_not_known(
    ledger: Ledger, prices: dict[str, Decimal], costs: dict[str, str | None]
) -> None:
    found = counts(ledger.connection, Wanted(), prices)
    assert {one.state: one.cost for one in found} == costs
    assert {one.state: one.parts for one in found} == {"sent": 6, "failed": 0, "queued": 0}


def test_a_price_is_of_the_provider_that_says_it() -> None:
    providers = [{"kind": "console", "price": "0.045"}, {"kind": "console", "name": "far"}]
    channels = {"sms": Channel.model_validate({"providers": providers})}
    assert prices_of(channels) == {"sms/console": Decimal("0.045")}
