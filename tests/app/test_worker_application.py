"""The Faust application of a worker carries what its topics may hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from app.worker.application import application
from app.worker.reports import encoded
from rfm.report import Report, Runs
from tests.shared.idle_worker import idle_worker


def test_the_report_of_a_million_customers_may_be_sent(tmp_path: Path) -> None:
    """Each with another sum of money and another minute: as many numbers as there can be. A message above the
    producer's limit would end the worker."""
    numbers = np.arange(1_000_000) * 977
    values = (numbers % 525_600, numbers % 7, numbers * 31 % 50_000_000)
    report = Report(*(Runs.of(np.sort(one)) for one in values))
    message = encoded(0, 29_000_000, {"rfm": ("1", report)})
    with idle_worker(tmp_path) as worker:
        assert 1_000_000 < len(message) < application(worker).conf.producer_max_request_size
