"""Reports of populations: as bytes and back, and merged to the numbers of the whole (semantics R3 to R5)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rfm import varint
from rfm.cuts import Values
from rfm.merge import merged
from rfm.model import RfmModel
from rfm.numbers import numbers_of, numbers_said
from rfm.report import Report, Runs, decoded
from tests.laws.effort import effort

METHODS: list[dict[str, Any]] = [
    {"bins": 5}, {"bins": 7, "recency_unit": "day"}, {"method": "mean"},
    {"method": "mean", "recency_unit": "day"},
]  # fmt: skip
large = st.integers(-(2**61), 2**61 - 1)
few = st.integers(-3, 3)
customers = st.lists(
    st.tuples(st.integers(0, 30_000_000), st.one_of(few, st.integers(0, 2**31 - 1)), st.one_of(few, large),
              st.integers(0, 3)), max_size=60)  # fmt: skip


def model_of(options: dict[str, Any]) -> RfmModel:
    return RfmModel.model_validate({"frequency": "count(o)", "monetary": "sum(o.a)"} | options)


def report_of(values: Values) -> Report:
    """Return the report of customers: int64 of shape (n, 3)."""
    return Report(*(Runs.of(np.sort(values[:, column])) for column in range(3)))


def same(a: Report, b: Report) -> bool:
    pairs = [(getattr(a, name), getattr(b, name)) for name in ("recent", "frequency", "monetary")]
    return all(
        np.array_equal(x.values, y.values) and np.array_equal(x.counts, y.counts) for x, y in pairs
    )


@effort(200)
@given(st.lists(st.one_of(st.integers(0, 2**64 - 1), st.integers(0, 300)), max_size=40))
def test_whole_numbers_of_64_bits_are_the_same_after_bytes(numbers: list[int]) -> None:
    given_ = np.array(numbers, dtype=np.uint64)
    data = varint.encode(given_)
    assert varint.decode(data).tolist() == numbers
    assert len(data) == sum(max(1, -(-number.bit_length() // 7)) for number in numbers)


@effort(200)
@given(customers, st.sampled_from(METHODS))
def test_merged_reports_are_the_numbers_of_the_whole_whatever_the_partitions(
    people: list[tuple[int, int, int, int]], options: dict[str, Any]
) -> None:
    """R5: four partitions, some of them empty; through bytes, and through a record's body."""
    model, table = model_of(options), np.array(people, dtype=np.int64).reshape(-1, 4)
    parts = [report_of(table[table[:, 3] == number, :3]) for number in range(4)]
    read = [decoded(part.encoded) for part in parts]
    assert all(same(part, again) for part, again in zip(parts, read, strict=True))
    recent, frequency, monetary = (np.sort(table[:, column]) for column in range(3))
    whole = numbers_of(model, recent, frequency, monetary).said(model.version)
    assert merged(model, read).said(model.version) == whole
    assert numbers_said(whole).said(model.version) == whole
    if len(table) and options.get("recency_unit") == "day" and options.get("method") == "mean":
        at = 30_000_000
        assert numbers_said(whole).days_at(at) == int(((at - recent) // 1440).sum())


def test_a_report_that_was_damaged_is_refused() -> None:
    """Cut short anywhere, or another report's measure in its place."""
    report = report_of(np.array([[7, 1, -5], [7, 2, 300], [9, 2, 2**40]], dtype=np.int64))
    data = report.encoded
    for length in range(len(data)):
        with pytest.raises(ValueError, match=r"short|bytes|sizes|runs"):
            decoded(data[:length])
    fewer = Report(report.recent, Runs.of(np.array([1, 1], dtype=np.int64)), report.monetary)
    with pytest.raises(ValueError, match="different sizes"):
        decoded(fewer.encoded)


def test_values_too_far_apart_to_be_written_are_refused() -> None:
    with pytest.raises(OverflowError, match=r"2\^62"):
        Runs.of(np.array([-(2**61) - 1, 2**61], dtype=np.int64)).encoded()
