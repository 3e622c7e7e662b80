"""What a test needs and this machine has not: without it the test is skipped, in the CI it fails."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def absent(said: str) -> NoReturn:
    """End a test. said: what is not here, and what brings it."""
    if os.environ.get("CI") == "true":
        pytest.fail(said)
    pytest.skip(said)
