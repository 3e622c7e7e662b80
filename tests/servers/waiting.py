"""Waiting for what servers do in their own time: asked again and again, up to a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_for(find: Callable[[], T], what: str, seconds: float = 60.0) -> T:
    """Return the first answer that is true. Fails, saying ``what`` and the last answer, when time is up."""
    until = time.monotonic() + seconds
    while True:
        found = find()
        if found:
            return found
        late = time.monotonic() > until
        assert not late, f"after {seconds:.0f} s not yet {what}; the last answer was {found!r}"
        time.sleep(0.1)
