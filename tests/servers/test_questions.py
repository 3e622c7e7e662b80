"""Questions to the owner of a partition, through the store."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path

import msgspec
import pytest
import redis

from app.explained import Answer, Explained
from app.load import load_shop
from app.shop import Settings, Shop
from app.texts_now import AnsweredNow
from app.texts_read import AskedTexts
from console.problems import Problem
from deploy.servers.places import Place
from sinks.store import questions
from sinks.store.questions import EXPLAIN, Questions, TooMany
from sinks.store.store import Store
from tests.app.little_shop import write_shop
from tests.servers.answering import cluster_answers

pytestmark = pytest.mark.parametrize("store", ["valkey"], indirect=True, scope="session")
WHO = b"0123456789abcdef"


@pytest.fixture
def asked(store: Place, name: str) -> Questions:
    return Questions(redis.Redis.from_url(f"redis://:{store.password}@{store.address}/0"), name)


def owner(asked: Questions, answer: bytes) -> threading.Thread:
    """Take one question, and answer it."""

    def run() -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            for partition, one in asked.take([0, 1]):
                asked.answer(partition, one, answer)
                return
            time.sleep(0.01)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_a_question_is_answered_by_who_has_the_partition(asked: Questions) -> None:
    thread = owner(asked, b"known")
    assert asked.ask(EXPLAIN, {1: WHO}, 30) == {1: b"known"}
    thread.join()
    assert asked.take([0, 1]) == []


def test_a_question_that_nobody_takes_is_not_answered_and_goes(asked: Questions) -> None:
    """Nor is it answered later: nobody waits for it any more."""
    assert asked.ask(EXPLAIN, {0: WHO}, 0.05) == {0: None}
    assert asked.take([0]) == []


def test_no_more_than_so_many_wait(asked: Questions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "MOST", 2)
    for _ in range(2):
        assert asked.ask(EXPLAIN, {0: WHO}, 0.01) == {0: None}
    with pytest.raises(TooMany):
        asked.ask(EXPLAIN, {1: WHO, 0: WHO}, 0.01)
    assert asked.ask(EXPLAIN, {1: WHO}, 0.01) == {1: None}, "another partition's are apart"


def test_the_answer_of_a_former_owner_is_not_given(asked: Questions, name: str) -> None:
    """A worker that was paused may take a question before it knows that it is an owner no more."""
    store, shop = Store(asked.client, name), Shop(settings=Settings(name=name), sources={})
    answers = cluster_answers(store, asked, shop)
    former = store.claim(0).epoch
    explained = Explained({"id": WHO.hex()}, 7, [3])

    def told(epoch: int) -> Explained | None:
        thread = owner(asked, msgspec.json.encode(Answer(epoch, explained)))
        try:
            return asyncio.run(answers.explained(WHO))
        finally:
            thread.join()

    assert told(former) == explained
    store.claim(0)
    with pytest.raises(Problem, match="another worker"):
        told(former)
    assert told(former + 1) == explained


def test_texts_are_not_read_by_other_settings_than_were_applied(
    asked: Questions, name: str, tmp_path: Path
) -> None:
    """An owner that has not come to them yet says so; the whole shop waits for it."""
    toml = f'name = "{name}"\n[groups]\nvalue = ["vip", "普通"]\n'
    shop = load_shop(write_shop(tmp_path, {"tintype.toml": toml}))
    store = Store(asked.client, name)
    answers = cluster_answers(store, asked, shop)
    said = AnsweredNow(store.claim(0).epoch, None)
    thread = owner(asked, msgspec.json.encode(said))
    try:
        with pytest.raises(Problem, match="does not go by the settings"):
            asyncio.run(answers.texts(AskedTexts("sms", "hi", [])))
    finally:
        thread.join()
