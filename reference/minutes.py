"""Which minutes an audit looks at (`tintype audit --random N`)."""

from __future__ import annotations

import random


def random_minutes(first: int, last: int, count: int, seed: int) -> list[int]:
    """Return ``count`` different minutes of [first, last], ascending; all of them where there are fewer.

    The same arguments give the same minutes.

    >>> random_minutes(0, 3, 10, seed=1)
    [0, 1, 2, 3]
    """
    span = range(first, last + 1)
    return sorted(random.Random(seed).sample(span, min(count, len(span))))  # noqa: S311 - a sample, no secret
