"""A decision carries the zone that its quiet hours are of, from the engine to the ledger (D5)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rules.error import RuleError
from sinks.channels.courier import Courier
from sinks.deliveries.delivery import Route
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.pace import Pace
from sinks.deliveries.quiet import Quiet
from tests.engine.story import SOURCE, Story
from tests.laws.world import customer_id

PEOPLE = {"name": "people", **SOURCE, "columns": {"zone": {"type": "text", "attribute": "zone"}}}
SOURCES = {name: {"name": name, **SOURCE} for name in ("orders", "carts", "views")} | {"people": PEOPLE}
HOURS = {"from": "22:00", "until": "08:00", "then": "hold"}
ZONES = {1: "Asia/Shanghai", 2: "America/New_York", 3: "Mars", 4: None}
PACE = {"most": 5, "within": "1h"}


def story(hours: dict[str, Any] | None, pace: dict[str, Any] | None, **more: Any) -> Story:
    """Let four customers of four zones order at 10:00 UTC."""
    guards = {"quiet_hours": hours, "zone": "customer.zone", "zones": ["Asia/Shanghai", "America/New_York"]}
    settings = {"name": "paced", "guards": guards}
    trigger = {"when": {"event": {"source": "orders"}}, "action": {"channel": "sms", "pace": pace}, **more}
    made = Story(trigger, sources=SOURCES, settings=settings)
    for customer, zone in ZONES.items():
        made.at(0).row("people", customer, customer, zone=zone)
        made.writer.row("orders", customer, customer)
    return made


def ways(made: Story) -> dict[int, Route]:
    """Return how each customer's decision to act is delivered."""
    courier, whose = Courier(made.shop.shop, lambda *_: "member:M1"), {customer_id(c): c for c in ZONES}
    found = {whose[one.customer]: courier.route(one) for one in made.decided(1) if one.outcome == "act"}
    assert all(isinstance(one, Route) for one in found.values())
    return {customer: one for customer, one in found.items() if isinstance(one, Route)}


def routes(made: Story) -> dict[int, Any]:
    """Return the pace of each customer's message."""
    return {customer: one.pace for customer, one in ways(made).items()}


def test_the_zone_goes_along_where_quiet_hours_and_a_pace_ask_for_it() -> None:
    night = {"from": "23:00", "until": "04:00", "then": "drop"}  # 10:00 UTC is in none of them

    def quiet(zone: str) -> Pace:
        return Pace(5, 3600, Quiet(23 * 60, 4 * 60, zone, drop=True))

    assert routes(story(night, PACE)) == {
        1: quiet("Asia/Shanghai"), 2: quiet("America/New_York"), 3: quiet("UTC"), 4: quiet("UTC"),
    }  # fmt: skip
    assert routes(story(night, PACE, purpose="transactional")) == dict.fromkeys(ZONES, Pace(5, 3600))
    assert routes(story(None, PACE)) == dict.fromkeys(ZONES, Pace(5, 3600))
    assert routes(story(night, None)) == dict.fromkeys(ZONES)
    assert {len(one.values) for one in story(None, PACE).decided(1)} == {0}  # decisions are as they were
    assert {len(one.values) for one in story(night, PACE).decided(1)} == {1}


def test_without_a_pace_the_quiet_hours_that_stand_against_a_decision_go_along_as_well() -> None:
    night = {"from": "23:00", "until": "04:00", "then": "drop"}

    def hours(*given: Any, **more: Any) -> list[Quiet | None]:
        return [ways(story(*given, **more))[customer].quiet for customer in ZONES]

    def quiet(first: int, end: int, drop: bool) -> list[Quiet]:
        return [Quiet(first * 60, end * 60, zone, drop)
                for zone in ("Asia/Shanghai", "America/New_York", "UTC", "UTC")]  # fmt: skip

    assert hours(night, None) == quiet(23, 4, True)
    assert hours(None, None) == [None] * 4
    assert hours(night, PACE) == [None] * 4  # the pace has them
    assert hours(night, None, purpose="transactional") == [None] * 4  # the shop's are against marketing
    own = {"quiet_hours": {"from": "00:00", "until": "05:00", "then": "hold"}}
    assert hours(night, None, purpose="transactional", guards=own) == quiet(0, 5, False)
    assert hours(night, None, guards=own) == quiet(0, 5, False)
    assert {len(one.values) for one in story(night, None).decided(1)} == {1}


def test_the_zone_is_one_of_the_values_that_a_decision_can_carry() -> None:
    values = {f"v{at}": f'count(orders, "{at + 1}d")' for at in range(6)}
    action = {"channel": "sms", "values": values}
    assert len(story(None, None, action=action).decided(1)[0].values) == 6
    with pytest.raises(RuleError, match="rest on 7 metrics, the customer's zone for quiet hours among them"):
        story(HOURS, None, action=action)


@pytest.mark.parametrize("then", ["hold", "drop"])
def test_no_turn_of_what_the_engine_has_decided_is_at_night(tmp_path: Path, then: str) -> None:
    """It is 18:00 in Shanghai, and a message goes every hour."""
    made = story({"from": "19:00", "until": "21:00", "then": then}, {"most": 1, "within": "1h"})
    courier = Courier(made.shop.shop, lambda *_: "member:M1")
    ledger = Ledger(tmp_path)
    taken = [(one, courier.route(one)) for one in made.decided(1) if one.customer != customer_id(2)]
    ledger.take("channels", [taken[1], taken[0], *taken[2:]], {0: 1})
    found = ledger.rows("SELECT (due - decided) / 3600, state FROM delivery ORDER BY number")
    if then == "hold":  # behind 18:00 comes 19:00, which is skipped for this one, and another takes
        assert found == [(0.0, "queued"), (3.0, "queued"), (1.0, "queued")]
    else:
        assert found == [(0.0, "queued"), (0.0, "held back"), (1.0, "queued")]
    ledger.close()
