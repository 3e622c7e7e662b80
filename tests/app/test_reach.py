"""How many a broadcast would reach now: what the engine itself decides then, worked out beside its work."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.forked import Failed, Forked
from app.life.forecast import forecast
from app.life.reach import Reach, check_counts, read_reach, summed
from app.life.reach_now import begin_reach
from app.load import load_shop
from app.replay import Replay
from app.runtime import Sandbox
from app.shop import Shop
from app.worker.answering import Answering
from sinks.store.questions import EXPLAIN, REACH, Question
from streams.errors import InputError
from tests.app.little_shop import write_shop
from tests.app.test_broadcast import BEGIN, CUSTOMERS, FILES, TRIGGER

FIRST = BEGIN + 150  # 20:00 of 2026-03-01 in Shanghai
TWICE = TRIGGER.replace("on: [2026-03-01]", "on: [2026-03-01, 2026-03-03]")


def told(
    folder: Path, trigger: str, until: int, shop: Shop | None = None
) -> tuple[Sandbox, Replay, Shop]:
    """Tell of forty customers, of whom two of three agree; return the story as it stands at a minute."""
    declared = load_shop(write_shop(folder / "shop", {**FILES, "triggers/spring.yaml": trigger}))
    sandbox = Sandbox(shop or declared, folder / "shop" / "data")
    sandbox.advance_to(BEGIN)
    rows: list[Any] = [
        {"order_id": f"A{at}", "member_id": f"M{at}", "created_at": "2026-03-01 17:20", "amount": at,
         "status": "paid"} for at in range(1, CUSTOMERS + 1)
    ]  # fmt: skip
    sandbox.rows("orders", rows, BEGIN, "insert")
    for at in range(1, CUSTOMERS + 1):
        if at % 3:
            granted = {"channel": "sms", "purpose": "marketing", "granted": True, "until": None}
            sandbox.control("consent", f"member:M{at}", granted, BEGIN + 1)
    sandbox.advance_to(until)
    replay = Replay(sandbox.log, declared, lambda *_: None)
    replay.follow()
    return sandbox, replay, declared


def counted(replay: Replay, name: str = "spring") -> Reach:
    owner: Any = SimpleNamespace(engine=replay.engine)
    return read_reach(begin_reach(owner, name).result(60))


def decided(sandbox: Sandbox, minute: int) -> tuple[Counter[str], Counter[str]]:
    mine = [one for one in sandbox.decisions() if one["trigger"] == "spring" and one["minute"] == minute]
    return Counter(one["outcome"] for one in mine), Counter(one["guard"] for one in mine if one["guard"])


@pytest.mark.parametrize(
    "more",
    ["", "\nonce: true", "quiet_hours: {from: '19:00', until: '21:00'}", "cool_down: 30d", "hold_out: 20"],
)
def test_what_is_counted_is_what_is_decided_the_next_minute(tmp_path: Path, more: str) -> None:
    guards = "guards: {consent: sms/marketing" + (f", {more.strip()}" if more else "") + "}"
    trigger = TRIGGER.replace("guards: {consent: sms/marketing}", guards)
    sandbox, replay, shop = told(tmp_path, trigger, FIRST - 1)
    digest, step = replay.engine.digests[0].hexdigest(), list(replay.engine.steps)
    found = counted(replay)
    assert (found.minute, found.steps, found.audience) == (FIRST, step, 35)
    before = forecast(sandbox.log, shop, tmp_path / "shop" / "data", "spring", FIRST)
    assert found.outcomes == Counter(one.outcome for one in before)
    sandbox.advance_to(FIRST)
    assert (found.outcomes, found.guards) == decided(sandbox, FIRST)
    assert len(found.guards) > 1
    # nothing has happened to the engine itself
    assert (replay.engine.digests[0].hexdigest(), replay.engine.clock) == (digest, FIRST - 1)
    replay.follow()
    assert counted(replay).minute == FIRST + 1


@pytest.mark.parametrize("guard", ["once: true", "cool_down: 30d"])
def test_whom_the_first_date_reached_the_second_does_not(tmp_path: Path, guard: str) -> None:
    trigger = TWICE.replace("consent: sms/marketing", f"consent: sms/marketing, {guard}")
    sandbox, replay, shop = told(tmp_path, trigger, FIRST + 60)
    reached = decided(sandbox, FIRST)[0]["act"]
    assert reached > 5
    found = counted(replay)
    assert found.guards["once" if guard.startswith("once") else "cool_down"] == reached
    assert "act" not in found.outcomes
    second = FIRST + 2 * 1440
    before = forecast(sandbox.log, shop, tmp_path / "shop" / "data", "spring", second)
    sandbox.advance_to(second)
    told_then = decided(sandbox, second)
    assert Counter(one.outcome for one in before) == told_then[0]
    assert Counter(one.guard for one in before if one.guard) == told_then[1]


@pytest.mark.parametrize("status", ["shadow", "paused"])
def test_it_is_counted_as_if_it_were_live(tmp_path: Path, status: str) -> None:
    """What it did in shadow is over then; whether it acts or not is not for its status to say."""
    guard = TWICE.replace("consent: sms/marketing", "consent: sms/marketing, once: true")
    sandbox, replay, shop = told(tmp_path, f"status: {status}\n{guard}", FIRST + 60)
    if status == "shadow":
        assert decided(sandbox, FIRST)[0]["act"] > 5
    found = counted(replay)
    assert found.outcomes["act"] > 5
    before = forecast(sandbox.log, shop, tmp_path / "shop" / "data", "spring", FIRST + 61)
    assert found.outcomes == Counter(one.outcome for one in before)
    assert found.guards == Counter(one.guard for one in before if one.guard)


def test_what_no_engine_knows_is_not_counted(tmp_path: Path) -> None:
    _, replay, shop = told(tmp_path, f"status: draft\n{TRIGGER}", FIRST)
    with pytest.raises(InputError, match="has the status 'draft', so that no engine knows its audience"):
        check_counts(shop, "spring")
    with pytest.raises(Failed, match="it ended before it had an answer"):
        counted(replay)


def test_a_shop_without_customers_has_no_audience(tmp_path: Path) -> None:
    shop = load_shop(write_shop(tmp_path / "shop", FILES))
    sandbox = Sandbox(shop, tmp_path / "data")
    assert counted(Replay(sandbox.log, shop, lambda *_: None)).audience == 0


def test_parts_are_summed() -> None:
    parts = [Reach(9, [4], {"act": 2, "held": 1}, {"quiet_hours": 1}), Reach(8, [5], {"act": 3}, {})]
    assert summed(parts) == Reach(8, [4, 5], {"act": 5, "held": 1}, {"quiet_hours": 1})


def test_a_child_that_does_not_end_is_ended(tmp_path: Path) -> None:
    begun = time.monotonic()

    def never() -> bytes:
        (tmp_path / "pid").write_text(str(os.getpid()))
        time.sleep(100)
        return b""

    with pytest.raises(Failed, match="no answer within 1 s"):
        Forked(never).result(1.0)
    assert time.monotonic() - begun < 60
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
    assert Forked(lambda: b"x" * 1_000_000).result(60) == b"x" * 1_000_000


class Asked:
    """Questions of one partition: to count, and then to explain."""

    def __init__(self) -> None:
        self.waiting = [Question("count", b"", time.time() + 60, kind) for kind in (REACH, REACH, EXPLAIN)]
        self.answers: list[bytes] = []

    def take(self, _: object) -> list[tuple[int, Question]]:
        return [(0, self.waiting.pop(0))] if self.waiting else []

    def answer(self, _partition: int, _question: Question, answer: bytes) -> None:
        self.answers.append(answer)


def test_other_questions_do_not_wait_for_a_count_and_no_two_counts_are_at_once() -> None:
    asked, go_on, counting = Asked(), threading.Event(), list[int]()

    def begin(_: bytes) -> Any:
        def wait() -> bytes:
            counting.append(len(asked.answers))
            go_on.wait(60)
            return b"counted"

        return wait

    one: Any = SimpleNamespace(
        owner=1, owes_overview=False, answer=lambda *_: b"explained", begin_reach=begin
    )  # fmt: skip
    answering = Answering(asked, lambda: {0: one}, ThreadPoolExecutor(1))  # type: ignore[arg-type]  # Questions

    async def run() -> None:
        running = asyncio.create_task(answering.run())
        async with asyncio.timeout(60):
            while not asked.answers:
                await asyncio.sleep(0.01)
            assert asked.answers == [b"explained"]
            assert len(counting) <= 1
            go_on.set()
            while len(asked.answers) < 3:
                await asyncio.sleep(0.01)
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running

    asyncio.run(run())
    assert counting[1] >= 2  # the second began behind the first one's answer
