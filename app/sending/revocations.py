"""What revokes a decision between its step and its sending: a consent withdrawn, a switch turned (D5)."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping

from engine.outcome import Decision
from sinks.deliveries.pausing import switches_over
from sinks.deliveries.switches import Asked, off_with, reasons_with
from streams.control import CONSENT, ERASE, SWITCH
from streams.log.block import CONTROL, Block
from streams.log.log import Log
from triggers.trigger import Trigger

EVERYTHING = ""
KINDS = (CONSENT, SWITCH, ERASE)


class Revoked(ABC):
    """What a log's consents and switches have come to, as `take` is told of them in their order.

    Of consents only those are kept that are withdrawn or have an end: who has one is the rule. opted_out:
    says whether a customer (32 hex digits) has unsubscribed from a channel and the log does not know yet.
    """

    def __init__(
        self, now: Callable[[], float], opted_out: Callable[[str, str], bool] = lambda _, __: False
    ) -> None:
        self._now, self._opted_out = now, opted_out
        self._asked: list[Asked] = []  # switches that are not in the log yet

    def take(self, kind: str, customer: bytes | None, body: str) -> None:
        """Take in a record of consent, a switch or an erasure."""
        if kind == ERASE:
            assert customer is not None
            self._forget(customer.hex())
            return
        said = json.loads(body)
        if kind == SWITCH:
            self._turn(said["what"], said["off"], said["reason"])
            return
        assert customer is not None
        ends = said["until"] if said["granted"] else 0
        self._note(customer.hex(), f"{said['channel']}/{said['purpose']}", ends)

    def off(self) -> list[str]:
        """Return what is switched off, everything ("") first. Any thread may ask."""
        return off_with(self._off_in_log(), self._asked)

    def reasons(self) -> dict[str, str]:
        """Return the same with why. Any thread may ask."""
        return reasons_with(self._off_in_log(), self._asked)

    def of(self, decision: Decision, trigger: Trigger) -> str | None:
        """Return why a decision must not be carried out any more, or None."""
        off = self.off() if self._asked else self._off_in_log()
        for what in switches_over(trigger.action.channel, decision.trigger):
            if what in off:
                return f"{what or 'everything'} is switched off"
        consent, channel = trigger.guards.consent, trigger.action.channel
        if trigger.purpose == "marketing":
            if self._opted_out(decision.customer, channel):
                return f"unsubscribed from {channel}"
            least = f"{channel}/marketing"  # who unsubscribes has withdrawn that, whatever is asked for
            if consent is None and self._ends(decision.customer, least) == 0:
                return f"consent to {least} is withdrawn"
        if consent is not None:
            until = self._ends(decision.customer, consent)
            if until is not None and self._now() >= until * 60:
                return f"consent to {consent} is withdrawn" if until == 0 else f"consent to {consent} is over"
        return None

    @abstractmethod
    def _off_in_log(self) -> Mapping[str, str]:
        """Return what the log has switched off, and why."""

    @abstractmethod
    def _turn(self, what: str, off: bool, reason: str) -> None:
        """Note a switch of the log."""

    @abstractmethod
    def _note(self, customer: str, consent: str, ends: int | None) -> None:
        """Note the minute from which a consent is none: 0 where it is withdrawn, None where it has no end."""

    @abstractmethod
    def _ends(self, customer: str, consent: str) -> int | None:
        """Return the minute that was noted."""

    @abstractmethod
    def _forget(self, customer: str) -> None:
        """Note nothing of an erased customer any more."""


class Revocations(Revoked):
    """Follows an embedded shop's log, in memory. One thread's, which calls `refresh` again and again."""

    def __init__(
        self, log: Log, now: Callable[[], float], opted_out: Callable[[str, str], bool] = lambda _, __: False
    ) -> None:
        super().__init__(now, opted_out)
        self._log = log
        self._next = [0] * log.partitions
        self._until: dict[tuple[str, str], int] = {}  # customer, consent -> minute from which it is none
        self._off: dict[str, str] = {}  # what is off, and why
        self._stopped: dict[tuple[int, str], int] = {}  # partition, what -> step at which it was turned off
        self._place = (0, -1)  # partition and step of the record that is taken

    def refresh(self, asked: list[Asked]) -> None:
        """Read what the log has gained; asked: switches that are not in it yet."""
        for partition, end in enumerate(self._log.next_steps()):
            if end > self._next[partition]:
                found = sorted(self._records(partition, end), key=lambda one: one[0])
                for step, kind, customer, body in found:
                    self._place = (partition, step)
                    self.take(kind, customer, body)
                self._next[partition] = end
        self._asked = asked

    def know(self, asked: list[Asked]) -> None:
        """Go by these switches that are not in the log yet. What left them before must have been read."""
        self._asked = asked

    def _records(self, partition: int, end: int) -> Iterator[tuple[int, str, bytes | None, str]]:
        for kind in KINDS:
            for block in self._log.blocks(partition, self._next[partition], end, holding=f"!{kind}"):
                for ordinal, found, customer, body in records_of(block):
                    if found == kind and self._next[partition] <= block.first_step + ordinal < end:
                        yield block.first_step + ordinal, kind, customer, body

    def stopped_at(self, partition: int, what: str) -> int:
        """Return the step at which a partition's log last turned something off; -1 where it never did."""
        return self._stopped.get((partition, what), -1)

    def _off_in_log(self) -> Mapping[str, str]:
        return self._off.copy()

    def _turn(self, what: str, off: bool, reason: str) -> None:
        if off:
            partition, step = self._place
            self._off[what] = reason
            self._stopped[partition, what] = step
        else:
            self._off.pop(what, None)

    def _note(self, customer: str, consent: str, ends: int | None) -> None:
        if ends is None:
            self._until.pop((customer, consent), None)
        else:
            self._until[customer, consent] = ends

    def _ends(self, customer: str, consent: str) -> int | None:
        return self._until.get((customer, consent))

    def _forget(self, customer: str) -> None:
        for key in [key for key in self._until if key[0] == customer]:
            del self._until[key]


def records_of(block: Block) -> Iterator[tuple[int, str, bytes | None, str]]:
    """Yield the control records of a block: ordinal, kind, customer, body."""
    table = block.tables()[CONTROL]
    columns = [table[name].to_pylist() for name in ("ordinal", "kind", "customer", "body")]
    yield from zip(*columns, strict=True)
