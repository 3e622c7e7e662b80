"""Erasing a customer of a cluster: in its log, its keys, its dead letters; then the store follows."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable

from aiokafka.errors import KafkaError
from kafka.errors import KafkaError as ReadingError

from app.shop import Shop
from app.worker.place import ClusterPlace
from sinks.inbox.inbox import Inboxes
from sinks.recommendations.shelves import Shelves
from sinks.store.store import Store
from streams.changes.reading import log_from
from streams.changes.topics import Topics
from streams.changes.wire import Incoming
from streams.debezium import kafka
from streams.errors import InputError
from streams.identity.partition import partition_of_customer
from streams.personal.erase import Erased
from streams.shared.erasing import Erasing
from streams.shared.index import Index, Lost, Still
from streams.shared.lanes import Lanes
from streams.worker.eraser import Eraser, Sent
from streams.worker.log_reader import LogReader

WAIT_SECONDS = 20.0  # for the partition's owner
_TURN_SECONDS, _AGAIN_SECONDS = 60.0, 0.5  # for another erasure; between tries


class TakenBack(InputError):
    """Lanes could not stand still for long enough; nothing is erased."""


def erase(
    place: ClusterPlace, shop: Shop, customer: bytes, wait_seconds: float = WAIT_SECONDS,
    now: Callable[[], float] = time.monotonic,
) -> Erased:  # fmt: skip
    """Erase a customer (id of 16 bytes). shop: the settings in force.

    It is done when the record is in the log; then it is waited until the partition's owner has taken the
    profile out of the store. Raises InputError, among them TakenBack, and what the store raises.
    """
    _check_letters(place.bootstrap, place.topics)
    client = place.client()
    try:
        store = Store(client, shop.settings.name)
        inboxes = Inboxes(client, shop.settings.name, shop.settings.partitions)
        inboxes.erase(customer)  # first, for who is erased is not found a second time
        sent = _sent(place, shop, customer, now() + _TURN_SECONDS, now)
        if sent is None:  # somebody may have erased them just now
            number = partition_of_customer(customer, shop.settings.partitions)
            return Erased(customer.hex(), [], 0, 0, 0, store.profiles([(number, customer)]) == [None])
        until = now() + wait_seconds
        while not (gone := store.head(sent.partition).step >= sent.step) and now() < until:
            time.sleep(0.05)
        inboxes.erase(customer)  # what was sent meanwhile
        Shelves(client, shop.settings.name, shop.settings.partitions).erase(customer)
        made = sent.erasure
        return Erased(customer.hex(), made.references, made.rows, sent.letters, 0, gone)
    finally:
        client.close()


def _sent(
    place: ClusterPlace, shop: Shop, customer: bytes, until: float, now: Callable[[], float]
) -> Sent | None:  # fmt: skip
    """Erase, as soon as no other customer is being erased, and again where workers took lanes back."""
    while True:
        try:
            return _once(place, shop, customer)
        except Lost as error:
            if now() > until:
                problem = "another customer is being erased" if isinstance(error, Still) else "lanes move on"
                hint = "nothing is erased: try again in a minute"
                raise TakenBack(customer.hex(), problem, hint) from error
            time.sleep(_AGAIN_SECONDS)
        except (KafkaError, ReadingError) as error:
            problem = f"Kafka refuses ({type(error).__name__})"
            raise InputError(customer.hex(), problem, "look after the brokers, and do it again") from error


def _once(place: ClusterPlace, shop: Shop, customer: bytes) -> Sent | None:
    reader, client = LogReader(place.bootstrap, place.topics), place.client()

    def read(partition: int, offset: int) -> Iterable[Incoming]:
        return log_from(place.bootstrap, place.topics.changes, partition, offset)

    def make(owner: str) -> tuple[Lanes, Erasing]:
        index = Index(client, shop.settings.name, owner)
        lanes = Lanes(owner, index, shop, shop.settings.partitions, place.secret, reader.recall)
        return lanes, Erasing(lanes, customer, read)

    with contextlib.closing(reader), contextlib.closing(client):
        eraser = Eraser(place.bootstrap, place.topics, place.intake, reader, make)
        return asyncio.run(eraser.erase(place.sources))


def _check_letters(bootstrap: str, topics: Topics) -> None:
    """Raise InputError where dead letters cannot be taken out of their topic."""
    with kafka.admin(bootstrap) as admin:
        policy = kafka.topic_settings(admin, topics.dead).get("cleanup.policy", "")
    if "compact" not in policy.split(","):
        hint = "it is of an earlier state of this release: delete the topic, then: tintype apply SHOP"
        raise InputError(topics.dead, "no letter can be taken out of this topic, it is not compacted", hint)
