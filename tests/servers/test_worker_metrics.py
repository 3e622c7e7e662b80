"""A worker's metrics on real servers: they say what Kafka and the store say."""

from __future__ import annotations

import re
import socket
import urllib.request
from pathlib import Path

from kafka import KafkaProducer

from deploy.servers.places import Place
from tests.servers.checked import now_ms
from tests.servers.cluster import PARTITIONS, cluster, topic_of
from tests.shared.small_shop import Feed


def scraped(port: int) -> dict[str, float]:
    """Return every sample by its name and labels; nothing while nobody listens."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            text = answer.read().decode()
    except OSError:
        return {}
    return {name: float(value) for name, value in re.findall(r"^([^#]\S*) (\S+)$", text, re.MULTILINE)}


def total(found: dict[str, float], name: str) -> float:
    return sum(value for key, value in found.items() if key.partition("{")[0] == name)


def test_a_workers_figures_are_those_of_the_servers(
    kafka: Place, store: Place, name: str, tmp_path: Path
) -> None:
    """Each message is counted once, also one that is no change of a row."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with cluster(kafka, store, name, tmp_path) as shop:
        feed = Feed(2, start_ms=now_ms()).write(100)
        shop.start("a", "--metrics", str(port))
        producer = KafkaProducer(bootstrap_servers=kafka.address, acks="all")
        sent = shop.send(feed)
        producer.send(topic_of(name, "orders"), b"no change of a row", partition=0).get(30)
        producer.close()
        shop.wait(lambda: total(scraped(port), "tintype_messages_total") >= sent + 1, "counted")
        shop.wait(lambda: shop.is_settled(tmp_path / "look"), "settled")
        shop.wait(lambda: total(scraped(port), "tintype_ready") == PARTITIONS, "ready")
        found, heads = scraped(port), shop.heads()
        assert total(found, "tintype_messages_total") == sent + 1
        assert total(found, "tintype_messages_rejected_total") == 1
        assert found["tintype_partitions_owned"] == PARTITIONS
        claimed = [key for key in found if key.startswith("tintype_claims_total")]
        assert found["tintype_lanes_owned"] == len(claimed)
        for number, head in enumerate(heads):  # a tick may come in between
            assert found[f'tintype_records_total{{partition="{number}"}}'] in (head.step, head.step - 1)
            assert found[f'tintype_effects_total{{partition="{number}"}}'] <= head.effects
            assert found[f'tintype_lag_seconds{{partition="{number}"}}'] < 60
        assert shop.workers.pop("a").stop() == 0
        assert scraped(port) == {}
