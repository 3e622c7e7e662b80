"""A sender's side of the ledger and of the log that says of switches, in both forms, for tests of
forecasts."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app.load import load_shop
from app.sending.forecasts import Forecasts, Switches
from app.sending.ledger_switches import LedgerSwitches
from app.sending.revocations import Revocations
from app.worker.revoking import TopicRevocations
from app.worker.switches import TopicSwitches
from engine.outcome import Decision
from sinks.deliveries.asked import Switch
from sinks.deliveries.delivery import Route
from sinks.deliveries.ledger import Ledger
from sinks.deliveries.logged import LoggedLedger
from sinks.deliveries.switches import ask, asked, in_log
from sinks.topics.events import Event
from streams.changes.controls import control_messages
from streams.changes.wire import Outgoing
from streams.control import TICK, Control, switch
from streams.live import append_controls, append_ticks
from streams.log.log import Log
from tests.app.little_shop import write_shop
from tests.app.test_embedded import START
from tests.app.test_switch import EVENT
from tests.sinks.test_channels import decision

MINUTE = START // 60
SENT = Route("sms", "hi", "marketing", 0, 86_400.0)
TOML = 'name = "Test"\nhistory = false\npartitions = 2\n\n[groups]\nvalue = ["vip", "普通"]\n'
FORECAST = "guards: {forecast: {most: 3, within: 1h}}\n"


class Sender(ABC):
    """A sender, begun anew at will."""

    forecasts: Forecasts
    ledger: Ledger

    def __init__(self, folder: Path) -> None:
        write_shop(folder, {"tintype.toml": TOML, "triggers/hello.yaml": EVENT + FORECAST})
        self.shop, self.folder = load_shop(folder), folder
        self.said: list[str] = []
        self.made = 0

    def start(self) -> None:
        """Begin as a new process does."""
        self.forecasts = Forecasts(self.shop, self.ledger, self.switches(), self.said.append)
        self.forecasts.begin()

    def take(
        self, count: int, minute: int = 0, partition: int = 0, step: int | None = None, **more: Any
    ) -> list[Any]:  # fmt: skip
        """Take decisions of one step into the ledger; return how each is delivered, or why not."""
        self.forecasts.begin()
        found = self.judge(count, minute, partition, step, **more)
        self.forecasts.settle()
        return found

    def judge(
        self, count: int, minute: int = 0, partition: int = 0, step: int | None = None, **more: Any
    ) -> list[Any]:  # fmt: skip
        """Judge and write them down, and no more."""
        made: list[Decision] = []
        for _ in range(count):
            self.made += 1
            made.append(replace(
                decision(trigger="hello", id=f"{self.made:032x}"), partition=partition, seq=self.made,
                step=self.steps()[partition] if step is None else step, minute=MINUTE + minute, **more,
            ))  # fmt: skip
        found = [self.forecasts.judge(one, SENT if one.status == "live" else None) for one in made]
        self.ledger.take("channels", list(zip(made, found, strict=True)), {partition: self.made})
        return found

    @abstractmethod
    def switches(self) -> Switches:
        """Return those of a new process, which has read the log."""

    @abstractmethod
    def steps(self) -> list[int]:
        """Return how many records each partition's log has."""

    @abstractmethod
    def tell_log(self) -> None:
        """Let the log have what was switched, and the sender read of it."""

    @abstractmethod
    def turn(self, off: bool) -> None:
        """Turn the trigger as a person does."""

    @property
    @abstractmethod
    def off(self) -> list[str]:
        """Why it was switched off, each time since the log was told last."""


class EmbeddedSender(Sender):
    """Of an embedded shop."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.log = Log.create(folder / "data", "Test", 2)
        append_ticks(self.log, MINUTE, "live")
        self.ledger = Ledger(folder / "data")
        self.start()

    def switches(self) -> Switches:
        return LedgerSwitches(self.ledger, Revocations(self.log, lambda: START), lambda: START)

    def steps(self) -> list[int]:
        return self.log.next_steps()

    def tell_log(self) -> None:
        turned = asked(self.ledger)
        append_controls(self.log, [switch(one.what, one.off, one.reason) for one in turned], MINUTE)
        in_log(self.ledger, turned[-1].number)
        append_ticks(self.log, MINUTE + 1)

    def turn(self, off: bool) -> None:
        ask(self.ledger, "trigger/hello", "off" if off else "on", "", START)

    @property
    def off(self) -> list[str]:
        return [one.reason for one in asked(self.ledger) if one.off]


@dataclass
class Record:
    """A message as Kafka's clients give it."""

    offset: int
    timestamp: int
    value: bytes
    headers: Sequence[tuple[str, bytes]]


class TopicSender(Sender):
    """Of a cluster; the topics are lists. It is its own journal."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.changes: list[list[Record]] = [[], []]
        self.written = 0  # records of the ledger
        self.ledger = LoggedLedger(folder / "sender", self)
        for one in control_messages([Control(TICK, None, "{}")] * 3, 2):
            self.append(one)
        self.told = 0
        self.turned: list[str] = []
        self.start()

    def append(self, one: Outgoing) -> None:
        there = self.changes[one.partition]
        there.append(Record(2 * len(there), MINUTE * 60_000, one.value, one.headers))

    def commit(
        self, message: bytes, outgoing: Sequence[Outgoing] = (), events: Sequence[Event] = ()
    ) -> int:
        for one in outgoing:
            self.append(one)
        self.written += 1
        return self.written

    def switches(self) -> TopicSwitches:
        self.revocations = TopicRevocations(self.folder / "sender", "t", 2, lambda: START)
        self.read()
        self.at_work = TopicSwitches(self.ledger, self.revocations, 2)  # type: ignore[arg-type]
        return self.at_work

    def read(self) -> None:
        for number, records in enumerate(self.changes):
            fresh = [one for one in records if one.offset >= self.revocations.next[number]]
            if fresh:
                self.revocations.read({number: fresh})

    def steps(self) -> list[int]:
        return [sum(int(dict(one.headers)["count"]) for one in records) for records in self.changes]

    def tell_log(self) -> None:
        self.read()
        self.told = len(self.said)
        for one in control_messages([Control(TICK, None, "{}")], 2):
            self.append(one)

    def turn(self, off: bool) -> None:
        self.at_work.turn([Switch("trigger/hello", off, "")])

    @property
    def off(self) -> list[str]:
        return [one.partition(": ")[0].partition(" ")[2] for one in self.said[self.told :]]


SENDERS = {"embedded": EmbeddedSender, "cluster": TopicSender}


@contextlib.contextmanager
def sender_of(form: str, folder: Path) -> Iterator[Sender]:
    made = SENDERS[form](folder)
    try:
        yield made
    finally:
        made.ledger.close()
