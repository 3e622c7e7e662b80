"""From the last partition's report of a minute to the cut points in every partition's log.

The population is simulated: reports of so many customers are written in the partitions' place, and one real
worker reads, merges and appends. What a partition takes to sort its own is not in it (`bench.cuts`).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import msgspec
from kafka import KafkaProducer

from app.worker.reports import encoded
from bench.cluster.cluster import Cluster, cluster
from bench.cluster.rows import Rows
from bench.cuts import people, report_of
from deploy.servers.places import Place
from streams.changes.reading import messages
from streams.changes.topics import LARGEST_MESSAGE, Topics
from streams.control import CUTS
from streams.log.block import CONTROL
from streams.worker.log_reader import LogReader

PRICES = 5_000_000  # different sums of money: the most that a report has to say


@dataclass(frozen=True)
class Closed:
    """seconds: from the reports' sending to the append of the last partition's record, by the broker's
    clock; bytes: of all reports."""

    seconds: float
    bytes: int


def closing(kafka: Place, store: Place, folder: Path, customers: int, partitions: int) -> Closed:
    """Let one worker close a minute of so many customers. Raises TimeoutError where it does not."""
    with cluster(kafka, store, folder, partitions) as made:
        made.start("worker")
        with made.feed(Rows(1_000).past(1_000)):
            pass
        made.settle()
        minute = int(time.time() // 60) + 2  # of which no partition has a report of its own meanwhile
        reports = _reports(made, customers, minute)
        producer = KafkaProducer(bootstrap_servers=made.kafka.address, max_request_size=LARGEST_MESSAGE)
        topic = Topics(made.name).reports
        producer.partitions_for(topic)  # it is connected
        began = time.time()
        for number, report in enumerate(reports):
            producer.send(topic, report, key=str(number).encode())
        producer.flush()
        producer.close()
        appended: dict[int, int] = {}

        def is_closed() -> bool:
            appended.update(_appended(made, minute))
            return len(appended) == partitions

        made.wait(is_closed, "cut points are in every partition")
        return Closed(max(appended.values()) / 1e3 - began, sum(map(len, reports)))


def _reports(made: Cluster, customers: int, minute: int) -> list[bytes]:
    """Return every partition's report, as its worker would send it."""
    values = people(customers, PRICES)
    reports = [report_of([column[one :: made.partitions] for column in values])
               for one in range(made.partitions)]  # fmt: skip
    return [
        encoded(number, minute, {model.name: (model.version, report) for model in made.shop.rfm})
        for number, report in enumerate(reports)
    ]


def _appended(made: Cluster, minute: int) -> dict[int, int]:
    """Return by partition when its cuts record of a minute was appended, ms since 1970."""
    reader, topic, found = LogReader(made.kafka.address, Topics(made.name)), Topics(made.name).changes, {}
    try:
        for one in reader.records(topic):
            [message] = messages(topic, one.partition, [one])
            if message.holds == [f"!{CUTS}"]:
                [body] = message.block(0, -1).tables()[CONTROL]["body"].to_pylist()
                if msgspec.json.decode(body)["minute"] == minute:
                    found[message.partition] = one.timestamp
    finally:
        reader.close()
    return found
