"""Errors that aiokafka leaves where nobody asks for them."""

from __future__ import annotations

from itertools import chain

from aiokafka import AIOKafkaProducer


def hear(producer: AIOKafkaProducer) -> None:
    """Ask a producer that has failed for the errors it keeps.

    aiokafka (0.14) tells a fatal error also to futures of its own, and asyncio prints every one that was not
    asked for, with its stack, whenever the collector comes by.
    """
    held = producer._message_accumulator
    batches = chain(*held._batches.values(), held._pending_batches)
    last = producer._txn_manager._transaction_waiter  # None before the first transaction
    for future in [*(batch._drain_waiter for batch in batches), *([] if last is None else [last])]:
        if future.done() and not future.cancelled():
            future.exception()
