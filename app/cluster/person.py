"""A person's right to a copy, in a cluster: what its topics and its store hold on them, readable."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, TypeVar

import msgspec

from app.cluster.deliveries import cluster_ledger
from app.customer_name import is_id
from app.inspect import unknown_customer
from app.shop import Shop
from app.worker.place import ClusterPlace
from engine.outcome import Decision, Transition
from sinks.coupons.codes import codes_of
from sinks.deliveries.answers import answers_of
from sinks.topics.names import topics_of
from sinks.topics.packing import partition_of
from streams.changes.reading import blocks, fetches
from streams.debezium import kafka
from streams.errors import InputError
from streams.identity.partition import partition_of_customer
from streams.personal.conceal import hide
from streams.personal.export import records_of
from streams.personal.seal import REFERENCE, unseal
from streams.shared.index import Index
from streams.shared.vault import SharedVault

Effect = TypeVar("Effect", Decision, Transition)


def find(index: Index, secret: bytes, customer: str) -> bytes:
    """Return the id (16 bytes) behind ``type:value`` or an id. Raises InputError where nobody is known."""
    if is_id(customer):
        return bytes.fromhex(customer)
    with contextlib.closing(SharedVault(secret, index)) as vault:
        found = index.references([hide(vault, customer)])[0] if ":" in customer else None
    if found is not None:
        return found[1:17]
    if index.life() is None:
        hint = "let a worker take a row in, which fills it, or name the customer by the id"
        raise InputError(customer, "the index is not whole since the store was started, or emptied", hint)
    raise unknown_customer(customer)


def find_many(place: ClusterPlace, names: Sequence[str]) -> dict[str, bytes]:
    """Return the ids (16 bytes) behind those of ``type:value`` that somebody is known by."""
    with contextlib.closing(place.client()) as client:
        index = Index(client, place.topics.shop)
        with contextlib.closing(SharedVault(place.secret, index)) as vault:
            found = index.references([hide(vault, one) for one in names])
    return {name: one[1:17] for name, one in zip(names, found, strict=True) if one is not None}


def export(place: ClusterPlace, shop: Shop, index: Index, customer: bytes) -> dict[str, Any]:
    """Return what is held on a customer (id of 16 bytes), in the form of `app.person.whole_export`.

    Reads the whole partition of the log, of decisions and of changes of tags, and what the copy of the ledger
    lacks, from Kafka. Raises InputError.
    """
    number = partition_of_customer(customer, shop.settings.partitions)
    log = blocks(place.bootstrap, place.topics.changes, number)
    with contextlib.closing(SharedVault(place.secret, index)) as vault:
        rows, records = records_of(vault, log, shop.sources, customer)
        references = _references(index, vault, customer)
    topics, whose = topics_of(shop.settings.name), customer.hex()
    made = _effects(place.bootstrap, topics.decisions, Decision, whose)
    moved = _effects(place.bootstrap, topics.tag_changes, Transition, whose)
    with cluster_ledger(place) as ledger:
        coupons = [asdict(one) for one in codes_of(ledger.seen, whose)]
        answered = [asdict(one) for one in answers_of(ledger.seen, whose)]
    return {"customer": whose, "references": references, "rows": rows, "records": records,
            "decisions": [{**asdict(one), "delivery": None} for one in made],
            "tag_changes": [asdict(one) for one in moved], "coupons": coupons,
            "answered": answered}  # fmt: skip


def _references(index: Index, vault: SharedVault, customer: bytes) -> list[str]:
    """Return what leads to the customer, strong ones first."""
    [held] = index.fields("of", [customer])
    sealed = [one[1:].decode() for one in held.values()]
    texts = unseal(vault, REFERENCE, [customer] * len(sealed), sealed)
    found = [(one[:1] != b"s", text) for one, text in zip(held.values(), texts, strict=True)]
    return [text for _, text in sorted((weak, text) for weak, text in found if text is not None)]


def _effects(bootstrap: str, topic: str, kind: type[Effect], customer: str) -> list[Effect]:
    """Return the effects of a kind about a customer that their topic keeps, in order."""
    key = customer.encode()
    with kafka.consumer(bootstrap) as consumer:
        parts = kafka.partitions_of(consumer, [topic])
        if not parts:
            return []
        own = parts[partition_of(key, len(parts))]
        [begin] = consumer.beginning_offsets([own]).values()
    decode = msgspec.json.Decoder(kind).decode
    return [
        decode(record.value)
        for _, records in fetches(bootstrap, topic, {own.partition: begin})
        for record in records if record.key == key
    ]  # fmt: skip
