"""The minute index holds a row while an edge of a window may still ask for it."""

from __future__ import annotations

from engine.engine import IMPORT
from engine.state import WHOLE_KEY
from tests.engine.test_widening import MINUTE, new_engine, orders_of, read

DAY = 1440


def test_a_row_that_only_metrics_over_all_time_count_is_in_no_minute() -> None:
    """W5: when the last window that ends has left it, no edge meets it; it counts, and can be deleted."""
    engine = new_engine(today='count(orders, "1d")', before='count(orders, "1d offset 1d")')
    partition = engine.partitions[0]
    engine.feed(0, orders_of([3, 4], [WHOLE_KEY] * 2), 0)
    engine.run()
    counted = []
    for minute, held in ((MINUTE + DAY, 1), (MINUTE + 2 * DAY - 1, 1), (MINUTE + 2 * DAY, 0)):
        engine.advance(minute, IMPORT)
        assert len(partition.memory["minute_head"].nonzero()[0]) == held
        counted.append((read(engine, "today"), read(engine, "before"), read(engine, "total")))
    assert counted == [(0, 2, 7), (0, 2, 7), (0, 0, 7)]
    gone = orders_of([3], [WHOLE_KEY])
    gone.op[:], gone.offset[:], gone.minute[:] = 3, 9, engine.clock
    engine.feed(0, gone, 2)
    engine.run()
    assert read(engine, "total") == 4
