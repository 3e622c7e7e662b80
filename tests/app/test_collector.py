"""Full garbage collections are kept away from what stays for as long as the process does."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from app.embedded import spare_the_collector


class Held:
    """Something that may hold itself."""

    itself: object = None


@pytest.fixture
def unfrozen() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


@pytest.mark.usefixtures("unfrozen")
def test_what_lives_when_the_shop_is_ready_is_passed_over_by_the_collector() -> None:
    """Garbage that is there is collected first; what becomes garbage later is collected as before."""
    lives, garbage = Held(), Held()
    garbage.itself = garbage
    gone = weakref.ref(garbage)
    del garbage
    spare_the_collector()
    assert gone() is None
    assert not any(held is lives for held in gc.get_objects())
    later = Held()
    later.itself = later
    gone = weakref.ref(later)
    del later
    gc.collect()
    assert gone() is None
