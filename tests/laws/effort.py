"""How hard the laws are tried: a few worlds each by default, many with TINTYPE_LONG=1 (`make test-long`)."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, settings

LONG = os.environ.get("TINTYPE_LONG") == "1"
MORE = 20  # times as many worlds
PHASES = [Phase.generate, Phase.shrink] if LONG else [Phase.generate]  # finding the smallest takes minutes
F = TypeVar("F", bound=Callable[..., Any])


def effort(worlds: int) -> Callable[[F], F]:
    """Try a law on so many random worlds, the same ones every time; ``MORE`` times as many when asked."""
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large]
    return settings(
        max_examples=worlds * (MORE if LONG else 1), deadline=None, derandomize=True, database=None,
        suppress_health_check=slow, phases=PHASES,
    )  # fmt: skip
