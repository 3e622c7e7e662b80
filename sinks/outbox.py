"""What a relay reads: the effects of a store's partitions, by their dense numbers (semantics P3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from streams.errors import InputError

Effect = Mapping[str, Any]


class EffectSource(Protocol):
    """Where effects wait until they are copied: the store's outbox."""

    def read(self, partition: int, after_seq: int, limit: int) -> Sequence[Effect]:
        """Return the partition's next effects after ``after_seq`` (-1: from the first), in order.

        An effect has the fields of `engine.outcome.Transition` or `Decision`, and ``seq``: numbers from 0
        without a gap, over both kinds together.
        """

    def last_seq(self, partition: int) -> int:
        """Return the ``seq`` of the partition's newest effect; -1 before the first."""


def check_dense(where: str, partition: int, expected: int, effects: Sequence[Effect]) -> None:
    """Raise InputError if the effects are not numbered from ``expected`` on without a gap."""
    for number, effect in enumerate(effects, start=expected):
        if effect["seq"] != number:
            raise InputError(
                where,
                f"of partition {partition}, effect {number} is neither here nor in the outbox, "
                f"which goes on at {effect['seq']}",
                f"restore {where} from a copy, or replay the log with effects from there",
            )
