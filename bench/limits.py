"""What a provider's limits hold in memory, and what they cost a message: `python -m bench.limits`."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Sequence

from bench.outcome import markdown
from sinks.channels.cloud.aliyun import AliyunSettings
from sinks.channels.cloud.tencent import TencentSettings
from sinks.channels.settings import Limit
from sinks.deliveries.limits import Limits

CUSTOMERS = 1_000_000
_DAY = 86_400.0


def measured(limits: Sequence[Limit], messages: int) -> tuple[float, float, int]:
    """Send so many messages to each of a million customers within a day.

    Returns bytes of memory a customer, microseconds of CPU a message, and how many messages were put off.
    """
    held = Limits(limits)
    ids = [f"{number:032x}" for number in range(CUSTOMERS)]
    tracemalloc.start()
    put_off = 0
    for turn in range(messages):
        for number, customer in enumerate(ids):
            at = _DAY * (turn + number / CUSTOMERS) / messages
            put_off += held.admit("thanks", customer, at) is not None
    size = tracemalloc.get_traced_memory()[0] / CUSTOMERS
    tracemalloc.stop()
    timed, began = Limits(limits), time.process_time()
    for number, customer in enumerate(ids):
        timed.admit("thanks", customer, number / CUSTOMERS)
    return size, (time.process_time() - began) / CUSTOMERS * 1e6, put_off


def main() -> None:
    """Print a table."""
    declared = {
        "aliyun": AliyunSettings.model_fields["limits"].default,
        "tencent": TencentSettings.model_fields["limits"].default,
    }
    rows: list[list[object]] = []
    for kind, limits in declared.items():
        for messages in (1, 2):
            size, cost, put_off = measured(limits, messages)
            rows.append([kind, messages, size, cost, put_off])
    headings = ["limits of", "messages a customer a day", "bytes a customer", "us CPU a message", "put off"]
    print(markdown(headings, rows))


if __name__ == "__main__":
    main()
