"""What revokes a decision between its step and its sending: a consent withdrawn, a switch turned (D5)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from engine.outcome import Decision
from sinks.deliveries.switches import Asked, off_with
from streams.control import CONSENT, ERASE, SWITCH
from streams.log.block import CONTROL
from streams.log.log import Log
from triggers.trigger import Trigger

EVERYTHING = ""


class Revocations:
    """Follows a log's consents and switches. One thread's, which calls `refresh` again and again.

    Of consents only those are kept that are withdrawn or have an end: who has one is the rule.
    """

    def __init__(self, log: Log, now: Callable[[], float]) -> None:
        self._log, self._now = log, now
        self._next = [0] * log.partitions
        self._until: dict[tuple[str, str], int] = {}  # customer, consent -> minute from which it is none
        self._off: dict[str, str] = {}  # what is off, and why
        self._stopped: dict[tuple[int, str], int] = {}  # partition, what -> step at which it was turned off
        self._asked: list[Asked] = []

    def refresh(self, asked: list[Asked]) -> None:
        """Read what the log has gained; asked: switches that are not in it yet."""
        for partition, end in enumerate(self._log.next_steps()):
            if end > self._next[partition]:
                found = sorted(self._records(partition, end), key=lambda one: one[0])
                for step, kind, customer, body in found:
                    self._take(partition, step, kind, customer, body)
                self._next[partition] = end
        self._asked = asked

    def _records(self, partition: int, end: int) -> Iterator[tuple[int, str, bytes | None, str]]:
        for kind in (CONSENT, SWITCH, ERASE):
            for block in self._log.blocks(partition, self._next[partition], end, holding=f"!{kind}"):
                table = block.tables()[CONTROL]
                names = ("ordinal", "kind", "customer", "body")
                columns = [table[name].to_pylist() for name in names]
                for ordinal, found, customer, body in zip(*columns, strict=True):
                    if found == kind and self._next[partition] <= block.first_step + ordinal < end:
                        yield block.first_step + ordinal, kind, customer, body

    def _take(self, partition: int, step: int, kind: str, customer: bytes | None, body: str) -> None:
        if kind == ERASE:
            assert customer is not None
            gone = [key for key in self._until if key[0] == customer.hex()]
            for key in gone:
                del self._until[key]
            return
        said = json.loads(body)
        if kind == SWITCH:
            if said["off"]:
                self._off[said["what"]] = said["reason"]
                self._stopped[partition, said["what"]] = step
            else:
                self._off.pop(said["what"], None)
            return
        assert customer is not None
        key = (customer.hex(), f"{said['channel']}/{said['purpose']}")
        if not said["granted"]:
            self._until[key] = 0
        elif said["until"] is not None:
            self._until[key] = said["until"]
        else:
            self._until.pop(key, None)

    def off(self) -> list[str]:
        """Return what is switched off, everything ("") first. Any thread may ask."""
        return off_with(self._off.copy(), self._asked)

    def reasons(self) -> dict[str, str]:
        """Return what is switched off, everything ("") first, and why. Any thread may ask."""
        why = self._off | {one.what: one.reason for one in self._asked if one.off}
        return {what: why.get(what, "") for what in self.off()}

    def stopped_at(self, partition: int, what: str) -> int:
        """Return the step at which a partition's log last turned something off; -1 where it never did."""
        return self._stopped.get((partition, what), -1)

    def of(self, decision: Decision, trigger: Trigger) -> str | None:
        """Return why a decision must not be carried out any more, or None."""
        off = self.off() if self._asked else self._off
        for what in (EVERYTHING, f"channel/{trigger.action.channel}", f"trigger/{decision.trigger}"):
            if what in off:
                return f"{what or 'everything'} is switched off"
        consent = trigger.guards.consent
        if consent is not None:
            until = self._until.get((decision.customer, consent))
            if until is not None and self._now() >= until * 60:
                return f"consent to {consent} is withdrawn" if until == 0 else f"consent to {consent} is over"
        return None
