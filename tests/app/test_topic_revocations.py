"""What revokes decisions in a cluster, by the topic `changes`: the same as in one process, kept in a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.worker.revoking import TopicRevocations
from streams.changes.controls import control_messages
from streams.control import CONSENT, ERASE, TICK, Control, consent, switch
from streams.identity.partition import id_pairs, partitions_of
from tests.app.forecast_senders import Record
from tests.app.revoked import CASES, MINUTE, TRIGGER, WHO, given
from tests.sinks.test_channels import decision

PARTITIONS = 3
MADE = replace(decision(), customer=WHO.hex())


class Log:
    """The topic, whose partitions are read in any order."""

    def __init__(self) -> None:
        self.partitions: dict[int, list[Record]] = {number: [] for number in range(PARTITIONS)}

    def append(self, *controls: Control) -> None:
        for one in control_messages(controls, PARTITIONS):
            there = self.partitions[one.partition]
            there.append(Record(3 * len(there), MINUTE * 60_000, one.value, one.headers))

    def read(self, into: TopicRevocations) -> None:
        for number, records in reversed(self.partitions.items()):
            fresh = [one for one in records if one.offset >= into.next[number]]
            if fresh:
                into.read({number: fresh})


def opened(folder: Path) -> TopicRevocations:
    return TopicRevocations(folder, "t", PARTITIONS, lambda: MINUTE * 60.0)


@pytest.mark.parametrize(("controls", "expected"), CASES)
def test_what_is_withdrawn_or_switched_off_is_not_sent(
    tmp_path: Path, controls: list[Control], expected: str | None
) -> None:
    """Read as it comes, read at once by who begins now, and read on by who begins in between."""
    log, watching, once = Log(), opened(tmp_path / "watching"), Log()
    for control in controls:
        log.append(control)
        log.read(watching)
        watching.close()
        watching = opened(tmp_path / "watching")
    once.append(*controls)  # one block holds all that is of one partition
    for topic in (log, once):
        late = opened(tmp_path / str(id(topic)))
        topic.read(late)
        assert late.of(MADE, TRIGGER) == expected
        late.close()
    assert watching.of(MADE, TRIGGER) == expected
    watching.close()


def test_a_switch_holds_at_once_whatever_is_read_later(tmp_path: Path) -> None:
    """The topic has them in order; reading an older one must not undo the newest."""
    log, found = Log(), opened(tmp_path)
    log.append(switch("channel/sms", True))
    log.append(switch("channel/sms", False))
    found.turn("channel/sms", True, "")
    assert found.off() == ["channel/sms"]
    found.turn("channel/sms", False, "")
    found.turn("", True, "")
    assert found.off() == [""]
    found.read({0: log.partitions[0][:1]})
    assert found.off() == [""]
    log.read(found)
    assert found.off() == [""]
    found.close()


def test_who_is_erased_is_told_once(tmp_path: Path) -> None:
    log, found = Log(), opened(tmp_path)
    log.append(given(False), Control(ERASE, WHO, "{}"))
    own = int(partitions_of(*id_pairs([WHO]), PARTITIONS)[0])
    assert found.read({own: log.partitions[own]}) == [WHO.hex()]
    assert found.read({own: log.partitions[own]}) == []
    assert found.read({}) == []
    found.close()


def test_only_blocks_that_hold_some_of_it_are_read(tmp_path: Path) -> None:
    """What is no block of Arrow would raise."""
    log, found = Log(), opened(tmp_path)
    log.append(Control(TICK, None, "{}"))
    for records in log.partitions.values():
        records[0].value = b"rows"
    log.append(consent(WHO, "sms", "marketing", False))
    log.read(found)
    assert found.of(MADE, TRIGGER) is not None
    own = int(partitions_of(*id_pairs([WHO]), PARTITIONS)[0])
    assert found.next == {number: 4 if number == own else 1 for number in range(PARTITIONS)}
    assert CONSENT in log.partitions[own][1].headers[3][1].decode()
    found.close()
