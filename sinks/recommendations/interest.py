"""How much rows say of a customer's interest in an item."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def interest(weight: object, times: object, age: object, half_life: object) -> NDArray[np.float64]:
    """Return how much rows of one kind say of a customer's interest in an item: the weight, more for more
    rows (by their logarithm), half after each half-life since the newest. age, half_life: minutes.

    >>> interest(2.0, [1, 1], [0, 60], 60.0).tolist()
    [2.0, 1.0]
    """
    ages = np.maximum(np.asarray(age, np.float64), 0.0)
    often = 1.0 + np.log(np.asarray(times, np.float64))
    return np.asarray(weight, np.float64) * often * np.exp2(-ages / np.asarray(half_life, np.float64))
