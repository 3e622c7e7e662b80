"""Where the time of a change goes: the same stream with parts of the shop taken away.

``python -m bench.where`` prints microseconds a change at batch 1,000 and 100,000 customers.
"""

from __future__ import annotations

from statistics import median

from app.shop import Shop
from bench.load import Loaded
from bench.shops import METRICS, RULES, small_shop, without

BATCH, CHANGES, PASSES = 1_000, 40_000, 3


def main() -> None:
    """Print one line for each smaller shop."""
    whole = small_shop()
    no_tags = without(whole, "tags")
    shops = {
        f"{len(METRICS)} declared metrics, {len(RULES)} tags, 5 triggers, RFM": whole,
        "without triggers": without(whole, "triggers"),
        "without RFM": without(whole, "rfm"),
        "without tags and triggers": no_tags,
        "without tags, triggers and RFM": without(no_tags, "rfm"),
        "one metric a source, nothing else": _bare(whole),
    }
    for name, shop in shops.items():
        print(f"{_microseconds(shop):6.2f} us  {name}")


def _bare(shop: Shop) -> Shop:
    names = ("orders_365d", "refunded_365d", "views_90d", "worst_90d")
    bare = without(without(shop, "tags"), "rfm")
    return bare.model_copy(update={"metrics": {name: METRICS[name] for name in names}})


def _microseconds(shop: Shop) -> float:
    loaded = Loaded(shop, 100_000)
    loaded.pass_over(BATCH, CHANGES)
    return median(loaded.pass_over(BATCH, CHANGES) for _ in range(PASSES))


if __name__ == "__main__":
    main()
