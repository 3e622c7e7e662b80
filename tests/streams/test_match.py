"""Keys among others: which row is its key's last."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.identity.match import last_of_each


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(-2, 2), st.integers(0, 2)), max_size=20))
def test_the_last_row_of_each_key_is_marked(keys: list[tuple[int, int]]) -> None:
    last = {key: at for at, key in enumerate(keys)}
    halves = np.array(keys, dtype=np.int64).reshape(-1, 2)
    mask = last_of_each(halves[:, 0], halves[:, 1])
    assert mask.tolist() == [last[key] == at for at, key in enumerate(keys)]
