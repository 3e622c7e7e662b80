"""A cluster's log on its way into another number of partitions: how it is read, and where its lanes stood."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path

from cryptography.exceptions import InvalidTag
from kafka import TopicPartition

from app.migrating.former import Former
from app.migrating.former_ledger import cluster_deliveries
from app.replay import last_version
from app.shop import Shop
from app.worker.place import ClusterPlace
from sinks.topics.packing import partition_of
from streams.changes.reading import fetches
from streams.changes.topics import Topics
from streams.changes.wire import Incoming
from streams.dead.letters import DeadLetter
from streams.dead.topic import TopicLetters
from streams.debezium import kafka
from streams.errors import InputError
from streams.log.log import Log
from streams.migrate.gather import Gathering
from streams.migrate.nobodys import complete, nobodys
from streams.shared.asked import Standing
from streams.shared.vault import Wrap
from streams.worker.claiming import Claims, erasers_lane
from streams.worker.keeper import name_of
from streams.worker.log_reader import LogReader

_MESSAGES = 500  # of one transaction of the file
Offsets = Mapping[TopicPartition, int]
Watch = Callable[[str, int, int], None]


def place_of_shop(place: ClusterPlace, shop: str) -> ClusterPlace:
    """Return the cluster of another shop at the same servers, under the same secret."""
    if shop == place.topics.shop:
        hint = "give the shop another name in tintype.toml, with the new number of partitions"
        raise InputError("--from-shop", "a log cannot be migrated into itself", hint)
    return replace(place, topics=Topics(shop), sources={})


def check_no_workers(place: ClusterPlace) -> None:
    """Raise InputError while workers of a shop run."""
    with kafka.admin(place.bootstrap) as admin:
        there = {one["group_id"] for one in admin.list_groups()}
        for group in (place.owners, place.intake):
            if group in there and any(one["members"] for one in admin.describe_groups([group]).values()):
                raise InputError(group, "workers of this shop run", "stop them until it is migrated")


@contextlib.contextmanager
def gathered(
    place: ClusterPlace, into: ClusterPlace, partitions: int, work: Path, watch: Watch, fence: bool
) -> Iterator[Former]:
    """Read a cluster's log into a folder, which is removed at the end, for a ``with`` block.

    place: of the cluster; into: where it shall go, in so many partitions; fence: refuse whatever a worker
    that was only paused might still send, which else may be missed. Raises InputError where workers run, the
    secret is another, or rows over HTTP are not taken in yet.
    """
    with kafka.consumer(place.bootstrap) as consumer:
        former = len(consumer.partitions_for_topic(place.topics.changes) or ())
    if not former:
        hint = "name the shop whose workers wrote it, as its tintype.toml does"
        raise InputError(place.topics.changes, "there is no such topic", hint)
    check_no_workers(place)
    offsets = asyncio.run(_stands(place, fence))
    shutil.rmtree(work, ignore_errors=True)  # of a run that was killed
    reader = LogReader(place.bootstrap, place.topics)
    try:
        _check_secret(place, reader)
        with Log.create(work, place.topics.shop, former, place.secret) as log:
            yield _former(place, into, partitions, log, reader, offsets, watch)
    finally:
        reader.close()
        shutil.rmtree(work, ignore_errors=True)


async def _stands(place: ClusterPlace, fence: bool) -> Offsets:
    """Return the first offset of each lane that is not in the log."""
    claims = Claims(place.bootstrap, place.intake, place.topics.changes)
    erasers = erasers_lane(place.topics.changes)
    if fence:
        # whoever erases looks at that lane last, as every worker does
        return await claims.claim(await claims.lanes(), f"{place.topics.changes}.migrate.{uuid.uuid4().hex}")
    with kafka.admin(place.bootstrap) as admin:
        found = admin.list_group_offsets(place.intake).get(place.intake, {})
    return {at: max(one.offset, 0) for at, one in found.items() if at != erasers}


def _check_secret(place: ClusterPlace, reader: LogReader) -> None:
    wrap = Wrap(place.secret)
    for customer, _, wrapped in islice(reader.kept_keys(), 1):
        try:
            wrap.unwrap(customer, wrapped)
        except InvalidTag as error:
            hint = "both clusters have the same: set it to that of the former one"
            raise InputError("TINTYPE_SECRET", "it is not the secret of this shop's log", hint) from error


def _former(
    place: ClusterPlace, into: ClusterPlace, partitions: int, log: Log, reader: LogReader, offsets: Offsets,
    watch: Watch,
) -> Former:  # fmt: skip
    gathering = Gathering(log)
    with kafka.consumer(place.bootstrap) as consumer:
        ends = consumer.end_offsets(kafka.partitions_of(consumer, [place.topics.changes]))
    for some in _many(reader.log(None), _MESSAGES):
        gathering.take(some)
        watch("read", gathering.messages, max(sum(ends.values()), gathering.messages))
    gathering.finish()
    watch("read", gathering.messages, gathering.messages)
    complete(log)
    said = last_version(log)
    shop = None if said is None else Shop.model_validate_json(said)
    own = {place.topics.calls: into.topics.calls}
    own |= {place.topics.incoming(one): into.topics.incoming(one) for one in (shop.sources if shop else ())}
    _check_taken(place, own, offsets)
    waiting = TopicLetters(place.bootstrap, place.topics).letters()
    letters = [_at_home(one, own, partitions) for one in waiting]
    positions: dict[str, tuple[int, int]] = {}
    for lane in gathering.lanes.values():
        for name, (epoch, position) in lane.positions.items():
            positions[name] = max(positions.get(name, (0, 0)), (epoch, position))
    name = log.vault.hash(log.shop.encode(), b"migrate cluster").hex()
    stood = _stood(offsets, gathering, own)
    deliveries = partial(cluster_deliveries, place, log)
    return Former(log, name, letters, reader.kept_keys, positions, deliveries, stood, nobodys(log))


def _many(messages: Iterable[Incoming], most: int) -> Iterator[list[Incoming]]:
    every = iter(messages)
    while some := list(islice(every, most)):
        yield some


def _stood(offsets: Offsets, gathering: Gathering, own: Mapping[str, str]) -> dict[str, Standing]:
    """Return where lanes stood that are the new cluster's too: not those of the shop's own topics."""
    found = {}
    for at, offset in offsets.items():
        if at.topic not in own:
            told = gathering.lanes.get(name_of(at), Standing(0, offset, 0, {}, 0))
            found[name_of(at)] = replace(told, next=offset)
    return found


def _check_taken(place: ClusterPlace, own: Mapping[str, str], offsets: Offsets) -> None:
    """Raise InputError where a message of the shop's own topics is not in the log: they are left behind."""
    with kafka.consumer(place.bootstrap) as consumer:
        there = consumer.topics()
        ends = consumer.end_offsets(kafka.partitions_of(consumer, sorted(own.keys() & there)))
    for at, end in ends.items():
        begin = offsets.get(at, 0)
        behind = fetches(place.bootstrap, at.topic, {at.partition: begin}) if begin < end else ()
        if any(True for _, records in behind for _ in records):
            hint = "let workers of the former shop take them in, and let nothing send more; then stop them"
            raise InputError(name_of(at), "rows over HTTP are not taken in yet", hint)


def _at_home(letter: DeadLetter, own: Mapping[str, str], partitions: int) -> DeadLetter:
    """Return a letter that came from a topic of the shop's own as one of the new shop's, at the partition
    where its row's other changes will be."""
    topic, partition, offset = _parts(letter.place)
    if topic not in own:
        return letter
    number = partition % partitions if letter.key is None else partition_of(letter.key, partitions)
    return replace(letter, place=f"{own[topic]}/{number}/{offset}")


def _parts(place: str) -> tuple[str, int, str]:
    """Return topic, partition and offset of a message; "" for the topic of what came from elsewhere."""
    *topic, partition, offset = ["", *place.rsplit("/", 2)][-3:]
    return ("", 0, "") if not partition.isdecimal() else ("".join(topic), int(partition), offset)
