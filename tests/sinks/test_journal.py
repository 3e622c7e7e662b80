"""What became of a commit that failed is asked of the topic: never written twice, never taken for written."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, ProducerFenced

from sinks.deliveries import journal as module
from sinks.deliveries.journal import BY, TopicJournal
from sinks.topics.errors import Fenced
from sinks.topics.unheard import hear
from streams.changes.topics import Topics
from streams.errors import InputError


@dataclass
class Record:
    offset: int
    value: bytes
    headers: list[tuple[str, bytes]] = field(default_factory=list)


@dataclass
class Broker:
    """A topic, and a producer's sends that may fail before or behind the commit. fails: what happens to the
    next ones: (whether it is committed all the same, the error)."""

    records: list[Record] = field(default_factory=list)
    fails: list[tuple[bool, Exception]] = field(default_factory=list)
    starts: int = 0
    away: int = 0  # so often it does not answer

    async def send(self, name: bytes, message: bytes, _: Sequence[Any], __: Sequence[Any]) -> int:
        there, error = self.fails.pop(0) if self.fails else (True, None)
        offset = 2 * len(self.records)
        if there:
            self.records.append(Record(offset, message, [(BY, name)]))
        if error is not None:
            raise error
        return offset

    async def start(self) -> None:
        if self.away:
            self.away -= 1
            raise KafkaError("away")
        self.starts += 1

    def fetches(self, _: str, __: str, begin: Mapping[int, int]) -> Iterator[tuple[int, list[Record]]]:
        fresh = [one for one in self.records if one.offset >= begin[0]]
        if fresh:
            yield 0, fresh


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def made(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., TopicJournal]]:
    monkeypatch.setattr(module, "fetches", broker.fetches)
    monkeypatch.setattr(module, "_AGAIN_SECONDS", 0.0)
    opened: list[TopicJournal] = []

    def make(mine: Callable[[], bool] = lambda: True) -> TopicJournal:
        one = TopicJournal("nowhere:1", Topics("t"), mine, lambda _: None)
        monkeypatch.setattr(one, "_send", broker.send)
        monkeypatch.setattr(one, "_start", broker.start)
        opened.append(one)
        return one

    yield make
    for one in opened:
        one.close()


def test_it_begins_behind_all_that_is_there(broker: Broker, made: Callable[..., TopicJournal]) -> None:
    broker.records = [Record(0, b"a", [(BY, b"x/1")]), Record(2, b"b", [(BY, b"x/2")])]
    taken: list[tuple[int, bytes]] = []
    journal = made()
    journal.begin(2, taken.extend)
    assert taken == [(2, b"b")]
    assert journal.commit(b"c") == 4
    assert broker.starts == 1


@pytest.mark.parametrize("error", [KafkaError("gone"), TimeoutError(), ConnectionError()])
@pytest.mark.parametrize("there", [True, False])
def test_a_commit_whose_end_is_not_known_is_there_once(
    broker: Broker, made: Callable[..., TopicJournal], there: bool, error: Exception
) -> None:
    journal = made()
    journal.begin(0, lambda _: None)
    journal.commit(b"a")
    broker.fails, broker.away = [(there, error)], 2
    assert journal.commit(b"b") == 2
    assert journal.commit(b"c") == 4
    assert [one.value for one in broker.records] == [b"a", b"b", b"c"]
    assert broker.starts == 2


def test_who_finds_another_senders_record_sends_no_more(
    broker: Broker, made: Callable[..., TopicJournal]
) -> None:
    journal = made()
    journal.begin(0, lambda _: None)
    broker.fails = [(False, KafkaError("gone"))]
    broker.records.append(Record(0, b"theirs", [(BY, b"other/1")]))
    with pytest.raises(Fenced, match="meanwhile"):
        journal.commit(b"mine")
    assert [one.value for one in broker.records] == [b"theirs"]


def test_who_is_fenced_or_whose_turn_it_is_no_more_commits_nothing(
    broker: Broker, made: Callable[..., TopicJournal]
) -> None:
    turn = [True]
    journal = made(lambda: turn[0])
    journal.begin(0, lambda _: None)
    broker.fails = [(False, ProducerFenced())]
    with pytest.raises(Fenced, match="another sender"):
        journal.commit(b"a")
    broker.fails, turn[0] = [(False, KafkaError("gone"))], False
    with pytest.raises(Fenced, match="another worker"):
        journal.commit(b"a")
    with pytest.raises(Fenced):
        made(lambda: False).begin(0, lambda _: None)
    assert broker.records == []


def test_a_defect_is_not_tried_again(broker: Broker, made: Callable[..., TopicJournal]) -> None:
    journal = made()
    journal.begin(0, lambda _: None)
    broker.fails = [(False, KeyError("a defect"))]
    with pytest.raises(KeyError):
        journal.commit(b"a")


def test_a_topic_that_cannot_be_read_is_read_again(
    broker: Broker, made: Callable[..., TopicJournal], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []

    def fetches(*given: Any) -> Iterator[tuple[int, list[Record]]]:
        calls.append(1)
        if len(calls) < 3:
            raise InputError("t", "Kafka does not tell", "look after the brokers")
        return broker.fetches(*given)

    monkeypatch.setattr(module, "fetches", fetches)
    broker.records = [Record(0, b"a", [(BY, b"x/1")])]
    taken: list[tuple[int, bytes]] = []
    made().begin(0, taken.extend)
    assert taken == [(0, b"a")]


def test_one_that_has_written_nothing_is_let_go() -> None:
    """A producer has no errors of transactions before the first."""

    async def hears() -> None:
        producer = AIOKafkaProducer(bootstrap_servers="127.0.0.1:1", transactional_id="nobody")
        hear(producer)
        await producer.stop()

    asyncio.run(hears())
