"""With which provider a delivery goes on when a process has ended and another begins to send (P5)."""

from __future__ import annotations

from pathlib import Path

from app.load import load_shop
from app.sending.deliveries import places_of
from sinks.deliveries.delivery import Step
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.life import Event
from tests.app.little_shop import write_shop
from tests.sinks.dispatching import Clock, Fake, dispatcher_of, queue, route
from tests.sinks.test_dispatch import BUSY, LOST, idle


def test_what_is_transactional_goes_to_the_same_provider_after_a_crash_and_among_others(
    tmp_path: Path, clock: Clock
) -> None:
    """It may know the id; providers are known by their names, whatever their order is now."""
    busy, lost, fine = Fake(lambda _: BUSY), Fake(lambda _: LOST), Fake()
    ledger = Ledger(tmp_path)
    queue(ledger, [1], route("transactional"))
    idle(dispatcher_of(ledger, {"sms": [busy, lost]}, clock))
    queue(ledger, [2], route("transactional"))
    claim = Step(2, Event.CLAIM, clock.at, "sms/1")  # and it crashes
    ledger.write([claim])
    ledger.recover(clock.at, {"sms/0": 0, "sms/1": 2, "sms/2": 1})
    clock.at += 400
    second, third = Fake(), Fake()
    idle(dispatcher_of(ledger, {"sms": [fine, second, third]}, clock))
    assert sorted(int(one, 16) for one in third.out) == [1, 2]
    assert fine.out == second.out == []
    ledger.close()


def test_what_was_refused_goes_to_the_first_provider_after_a_crash(ledger: Ledger, clock: Clock) -> None:
    first = Fake()
    queue(ledger, [1], route("transactional"))
    ledger.write([Step(1, Event.CLAIM, clock.at, "sms/1"),
                  Step(1, Event.REFUSE, clock.at, outcome=BUSY, due=clock.at, turn=2)])  # fmt: skip
    ledger.recover(clock.at, {"sms/0": 0, "sms/1": 1})
    idle(dispatcher_of(ledger, {"sms": [first, Fake()]}, clock))
    assert len(first.out) == 1


def test_a_sender_says_where_its_providers_stand(tmp_path: Path) -> None:
    providers = "[{kind: console, name: b}, {kind: console, name: a}]"
    two = f"sms:\n  providers: {providers}\n  templates: {{hi: '{{{{ fen }}}}'}}\n"
    assert places_of(load_shop(write_shop(tmp_path, {"channels.yaml": two}))) == {"sms/b": 0, "sms/a": 1}
