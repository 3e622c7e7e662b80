"""When a load's requests are due, and what its waits come to."""

from __future__ import annotations

import numpy as np
import pytest

from bench.schedule import by_source, minute_weights, percentile, spread, within

CHANGES = [("views" if at % 2 else "orders", b"%d" % at) for at in range(20)]
PROBES = [("orders", b"p%d" % at) for at in range(6)]


def test_every_change_is_in_one_request_and_requests_are_due_at_a_fixed_pace() -> None:
    """Nothing is lost or doubled, and no due time rests on what came before."""
    load = spread(CHANGES, PROBES, 0.5)
    assert load.due == [0.0, 0.5, 1.0, 1.5, 2.0, 2.5]
    sent = [pair for request in load.requests for pair in request]
    assert sorted(sent) == sorted(CHANGES + PROBES)
    assert max(map(len, load.requests)) - min(map(len, load.requests)) <= 1


def test_a_change_that_is_looked_for_is_due_with_its_request() -> None:
    """The last of each request is the one looked for."""
    load = spread(CHANGES, PROBES, 0.5)
    assert [load.requests[number][-1] for number in load.probe_request] == PROBES
    assert load.probe_due.tolist() == load.due


def test_over_http_a_request_has_one_source_and_is_due_with_the_last_that_it_gathers() -> None:
    """Nothing is sent before it is due, and each change looked for is in the request named."""
    load = by_source(spread(CHANGES, PROBES, 0.5), 4)
    assert all(len({source for source, _ in request}) == 1 for request in load.requests)
    assert sorted(pair for request in load.requests for pair in request) == sorted(CHANGES + PROBES)
    assert set(load.due) == {1.5, 2.5}
    assert [number for number, probe in zip(load.probe_request, PROBES, strict=True)
            if probe not in load.requests[number]] == []  # fmt: skip
    assert load.probe_due.tolist() == [1.5] * 4 + [2.5] * 2


def test_a_percentile_is_one_of_the_values() -> None:
    """Nearest rank: at least that share of all are not above it, and of no smaller value."""
    random = np.random.default_rng(1)
    for count in (1, 2, 99, 100, 101, 1000):
        values = random.random(count)
        for share in (0.01, 0.5, 0.99, 1.0):
            found = percentile(values, np.ones(count), share)
            assert (values <= found).sum() >= share * count > (values < found).sum()


def test_no_values_have_no_percentile() -> None:
    """It is an error and not 0."""
    with pytest.raises(ValueError, match="no values"):
        percentile(np.zeros(0), np.zeros(0), 0.5)


def test_a_weight_is_as_if_a_value_came_so_often() -> None:
    """Whole weights give what repeated values give."""
    random = np.random.default_rng(2)
    values, weights = random.random(50), random.integers(1, 9, 50)
    repeated = np.repeat(values, weights)
    for share in (0.1, 0.5, 0.9, 0.99, 1.0):
        expected = percentile(repeated, np.ones(len(repeated)), share)
        assert percentile(values, weights.astype(np.float64), share) == expected


def test_a_load_with_one_opening_is_weighted_as_a_minute_with_one() -> None:
    """All weights together are the changes of a minute; those after the opening count once."""
    due = np.arange(0.0, 10.0, 0.01)
    weights = minute_weights(due - 3.0, 10.0, 3.0)
    assert weights.sum() * 0.01 == pytest.approx(60.0)
    assert (weights == 1.0).sum() == 300


def test_moments_lie_within_the_stretches_that_hold_them() -> None:
    """Both ends count."""
    found = within(np.array([0.9, 1.0, 2.0, 2.1, 5.0]), [(1.0, 2.0), (4.0, 6.0)])
    assert found.tolist() == [False, True, True, False, True]
