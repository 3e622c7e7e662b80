"""A relay to topics that kills itself: BOOTSTRAP SHOP PARTITION EFFECTS MOMENT TURN.

At the TURN-th transaction it dies when that has begun, in the middle of its messages, when all are sent and
nothing is committed, or when it is committed and nobody has been told. Without a MOMENT it says ``turn`` at
each, and goes on until it is killed or has done all.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import Any

from aiokafka import AIOKafkaProducer

from sinks.topics.names import topics_of
from sinks.topics.relay import TopicRelay
from tests.sinks.history_shop import Outbox

MOST = 40
turn = sent = 0


def die_at(moment: str, last: int) -> None:
    """Let the process end at the moment."""
    begin, send = AIOKafkaProducer.begin_transaction, AIOKafkaProducer.send_batch
    commit = AIOKafkaProducer.commit_transaction

    def reached(here: str) -> None:
        if here == moment and turn == last:
            os.kill(os.getpid(), signal.SIGKILL)

    async def begun(producer: AIOKafkaProducer) -> None:
        global turn, sent
        turn, sent = turn + 1, 0
        await begin(producer)
        reached("begun")

    async def sending(producer: AIOKafkaProducer, *words: Any, **options: Any) -> Any:
        global sent
        future = await send(producer, *words, **options)
        sent += 1
        if sent == 3:  # batches, of one for each partition of each topic
            await producer.flush()
            reached("half sent")
        return future

    async def committing(producer: AIOKafkaProducer) -> None:
        reached("sent")
        await commit(producer)
        reached("committed")
        if not moment:
            sys.stdout.write("turn\n")
            sys.stdout.flush()

    AIOKafkaProducer.begin_transaction = begun
    AIOKafkaProducer.send_batch = sending
    AIOKafkaProducer.commit_transaction = committing


async def main(bootstrap: str, shop: str, partition: str, effects: str, moment: str, last: str) -> None:
    number = int(partition)
    outbox = Outbox(number + 1)
    outbox.add(number, int(effects))
    die_at(moment, int(last))
    relay = TopicRelay(bootstrap, topics_of(shop), number, outbox, most=MOST)
    await relay.start()
    while await relay.step():
        pass
    await relay.stop()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
