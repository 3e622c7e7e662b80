"""Control records for partitions of the topic ``changes``, as messages."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from streams.changes.wire import Outgoing, outgoing
from streams.control import Control
from streams.identity.partition import id_pairs, partitions_of
from streams.log.block import CONTROL, Block, encode_tables
from streams.tables import control_table


def control_block(controls: Sequence[Control], first_step: int, minute: int, partition: int = 0) -> Block:
    """Return live control records of one minute as a block."""
    table = control_table(list(controls))
    ordinals = pa.array(range(table.num_rows), pa.int32())
    table = table.add_column(0, pa.field("ordinal", pa.int32(), nullable=False), ordinals)
    minutes = pa.array([minute] * table.num_rows, pa.int32())
    table = table.add_column(1, pa.field("minute", pa.int32(), nullable=False), minutes)
    payload = encode_tables({CONTROL: table})
    return Block(partition, first_step, table.num_rows, "live", minute, minute, payload)


def control_messages(controls: Sequence[Control], partitions: int) -> list[Outgoing]:
    """Return live control records as one message for each partition that gets some, in their order.

    One with a customer goes to that customer's partition, one without to every partition.
    """
    by_partition: dict[int, list[Control]] = {}
    for one in controls:
        own = range(partitions) if one.customer is None else partitions_of(
            *id_pairs([one.customer]), partitions
        )  # fmt: skip
        for number in own:
            by_partition.setdefault(int(number), []).append(one)
    return [control_message(found, number) for number, found in sorted(by_partition.items())]


def control_message(controls: Sequence[Control], partition: int) -> Outgoing:
    """Return live control records as a message for a partition; the broker says the minute."""
    holds = sorted({f"!{control.kind}" for control in controls})
    return outgoing(control_block(controls, 0, 0, partition), holds)
