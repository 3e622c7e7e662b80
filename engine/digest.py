"""The running digest of everything a partition has emitted, in order, whatever the batching (P3).

Two polynomials over the effects' words, modulo 2**64, as in Rabin and Karp's fingerprints (1987): a stretch
of effects is taken in at once, and the digest after it does not depend on how the stretches were cut. It
guards against changed code and damaged logs, not against an adversary.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from engine.memory import Array
from engine.partition import Partition, RawEffects

Words = NDArray[np.uint64]

# Odd constants of the splitmix64 and murmur3 finalizers (Steele 2014; Appleby 2011), and two odd bases.
_MIX = tuple(np.uint64(number) for number in (0xBF58476D1CE4E5B9, 0x94D049BB133111EB, 0xFF51AFD7ED558CCD))
_BASES = tuple(np.uint64(number) for number in (0x9E3779B97F4A7C15, 0xC4CEB9FE1A85EC53))
_SHIFT = np.uint64(31)
_TRANSITION = ("minute", "kind", "object", "mode", "from", "to")
_DECISION = ("minute", "trigger", "outcome", "guard")


class Digest:
    """``count``: effects taken in; ``halves``: the two polynomials so far."""

    def __init__(self, count: int = 0, halves: Sequence[int] = (0, 0)) -> None:
        self.count = count
        self.halves = np.array(halves, dtype=np.uint64)

    @staticmethod
    def of(text: str) -> Digest:
        """Return the digest that `hexdigest` wrote, to be gone on with.

        >>> Digest.of(Digest(3, (1, 2)).hexdigest()).count
        3
        """
        count, first, second = (int(part, 16) for part in text.split("-"))
        return Digest(count, (first, second))

    def copy(self) -> Digest:
        """Return one that goes its own way from here."""
        return Digest(self.count, self.halves.tolist())

    def update(self, partition: Partition, raw: RawEffects, before: int | None = None) -> None:
        """Take effects in, or only those numbered below ``before``; customers by id, nothing that depends
        on dictionary codes (P2).
        """
        t, d = raw.transitions, raw.decisions
        if before is not None:
            t, d = _below(t, before), _below(d, before)
        number = np.concatenate([t["seq"], d["seq"]])
        if len(number) == 0:
            return
        first = int(number.min())
        if first != self.count or len(number) != int(number.max()) - first + 1:
            raise ValueError(f"effects from {first} on, but {self.count} is the next one")
        for half, base in enumerate(_BASES):
            words = np.empty(len(number), dtype=np.uint64)
            words[t["seq"] - first] = _words(partition, t, _TRANSITION, base)
            words[d["seq"] - first] = _words(partition, d, _DECISION, base)
            self.halves[half] = _appended(self.halves[half], words, base)
        self.count += len(number)

    def hexdigest(self) -> str:
        """Return count and halves as hex numbers, joined by ``-``."""
        return "-".join(f"{int(number):016x}" for number in (self.count, *self.halves))


def _below(columns: Mapping[str, Array], number: int) -> Mapping[str, Array]:
    kept = columns["seq"] < number
    return columns if kept.all() else {name: column[kept] for name, column in columns.items()}


def _appended(before: np.uint64, words: Words, base: np.uint64) -> np.uint64:
    """Return before * base**n + sum of words[i] * base**(n - 1 - i), modulo 2**64."""
    powers = np.full(len(words) + 1, base, dtype=np.uint64)
    powers[0] = 1
    powers = np.multiply.accumulate(powers)
    with np.errstate(over="ignore"):
        return np.uint64(before * powers[-1] + (words * powers[-2::-1]).sum(dtype=np.uint64))


def _words(
    partition: Partition, columns: Mapping[str, Array], names: Sequence[str], base: np.uint64
) -> Words:
    """Return one mixed word for each effect."""
    high, low = partition.memory["customer_high"], partition.memory["customer_low"]
    fields = [columns["step"], *(columns[name] for name in names)]
    fields += [high[columns["customer"]], low[columns["customer"]]]
    if "cause" in columns:
        fields += [*columns["cause"].T, *columns["figure"].T]
    words = np.full(len(columns["step"]), base, dtype=np.uint64)
    for field in fields:
        words ^= field.astype(np.int64).view(np.uint64)
        for factor in _MIX:
            words *= factor
            words ^= words >> _SHIFT
    return words
