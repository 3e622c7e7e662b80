"""What is due when, fixed before a load begins, and what its waits come to.

An open loop: a request is due at its time whatever became of those before it, and waits are counted from
there. So a pause shows in every request that it delayed, also in those that could not even be handed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Load:
    """Requests, and the changes that are looked for in the store.

    due: seconds after the beginning, of each request, ascending; requests: the (source, message) pairs of
    each; probe_request: of each change looked for the number of the request whose last one it is.
    """

    due: list[float]
    requests: list[list[tuple[str, bytes]]]
    probe_request: list[int]

    @property
    def probe_due(self) -> Floats:
        """Seconds after the beginning at which each change looked for is due; float64."""
        return np.array(self.due)[self.probe_request]


def spread(changes: Sequence[tuple[str, bytes]], probes: Sequence[tuple[str, bytes]], every: float) -> Load:
    """Spread changes evenly over one request for each probe, one request every ``every`` seconds.

    >>> load = spread([("a", b"1"), ("a", b"2"), ("b", b"3")], [("p", b"4"), ("p", b"5")], 0.5)
    >>> load.due, load.requests[0], load.requests[1]
    ([0.0, 0.5], [('a', b'1'), ('p', b'4')], [('a', b'2'), ('b', b'3'), ('p', b'5')])
    """
    count = len(probes)
    ends = [len(changes) * (at + 1) // count for at in range(count)]
    starts = [0, *ends[:-1]]
    return Load(
        [at * every for at in range(count)],
        [[*changes[first:last], probe] for first, last, probe in zip(starts, ends, probes, strict=True)],
        list(range(count)),
    )


def by_source(load: Load, gathered: int) -> Load:
    """Return a load whose requests hold one source each, as the HTTP API takes them.

    The changes of ``gathered`` requests are due together, when the last of them is: one request for each
    source that they have. The changes looked for must all be of one source.
    """
    due: list[float] = []
    requests: list[list[tuple[str, bytes]]] = []
    probe_request: list[int] = []
    for first in range(0, len(load.due), gathered):
        held: dict[str, list[tuple[str, bytes]]] = {}
        for request in load.requests[first : first + gathered]:
            for pair in request:
                held.setdefault(pair[0], []).append(pair)
        probes = [number for number in load.probe_request if first <= number < first + gathered]
        for source, pairs in held.items():
            if probes and source == load.requests[probes[0]][-1][0]:
                probe_request += [len(requests)] * len(probes)
            due.append(load.due[min(first + gathered, len(load.due)) - 1])
            requests.append(pairs)
    return Load(due, requests, probe_request)


def percentile(values: Floats, weights: Floats, share: float) -> float:
    """Return the smallest value that at least this share of the weight is not above (nearest rank).

    >>> values = np.array([4.0, 1.0, 3.0, 2.0])
    >>> percentile(values, np.ones(4), 0.5), percentile(values, np.array([1.0, 9.0, 1.0, 1.0]), 0.5)
    (2.0, 1.0)
    """
    if len(values) == 0:
        raise ValueError("no values")
    order = np.argsort(values)
    below = np.cumsum(weights[order])
    at = int(np.searchsorted(below, share * below[-1] * (1 - 1e-12)))
    return float(values[order[at]])


def minute_weights(after: Floats, seconds: float, wake: float) -> Floats:
    """Return how often what is due comes in a minute that opens once, where ``seconds`` with an opening in
    them were measured.

    after: seconds from the opening to each moment, below 0 before it. In the ``wake`` of the opening each
    counts once, otherwise as often as the rest of the measured time goes into the rest of a minute.

    >>> minute_weights(np.array([-1.0, 0.0, 2.9, 3.1]), 22.0, 3.0).tolist()
    [3.0, 1.0, 1.0, 3.0]
    """
    return np.where((after >= 0) & (after < wake), 1.0, (60.0 - wake) / (seconds - wake))


def within(moments: Floats, stretches: Sequence[tuple[float, float]]) -> NDArray[np.bool_]:
    """Return which moments lie in one of the stretches, both ends included.

    >>> within(np.array([0.5, 1.5, 2.5]), [(1.0, 2.0)]).tolist()
    [False, True, False]
    """
    inside = np.zeros(len(moments), dtype=np.bool_)
    for begin, end in stretches:
        inside |= (moments >= begin) & (moments <= end)
    return inside
