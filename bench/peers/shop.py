"""The shop that the peers do too: that of `bench.shops`, with fixed RFM cut points.

Nobody but us keeps quintiles of a whole population while it moves, so the peers get cut points as given
numbers; where results are compared, so do we. Our own figure is that of the quintiles.
"""

from __future__ import annotations

from app.shop import Shop
from rfm.model import FixedCuts

DAY = 1440
RECENCY, FREQUENCY, MONETARY = (
    (20 * DAY, 60 * DAY, 120 * DAY, 220 * DAY),
    (1, 3, 6, 12),
    (5_000, 20_000, 60_000, 120_000),
)


def with_fixed_cuts(shop: Shop) -> Shop:
    """Return a shop whose RFM scores come from given cut points."""
    cuts = FixedCuts(recency=list(RECENCY), frequency=list(FREQUENCY), monetary=list(MONETARY))
    model = shop.rfm[0].model_copy(update={"method": "fixed", "fixed": cuts})
    return shop.model_copy(update={"rfm": [model]})
