"""How many SMS a second one core sends by SMPP.

``python -m bench.sms`` sends texts of one part (70 Chinese characters) and of three to an SMSC on loopback
that runs in another process (tests/sinks/loopback_smsc.py), 100 submits in flight, and prints submits a
second of this process's CPU, and of the clock. The goal is 5,000 messages of one part a second a core.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sinks.channels.batch import Batch
from sinks.channels.message import Message
from sinks.channels.outcome import Accepted
from sinks.channels.provider import Around
from sinks.channels.smpp.settings import SmppSettings
from sinks.channels.smpp.smpp import Smpp

GOAL = 5_000
WINDOW = 100
BATCH = 1_000
MESSAGES = 20_000
ROUNDS = 3
ONE, THREE = "字" * 70, "字" * 67 * 3


@dataclass(frozen=True)
class Measured:
    """messages and parts of one round; cpu, clock: seconds."""

    messages: int
    parts: int
    cpu: float
    clock: float


def main() -> None:
    """Print the best of some rounds for each length of text."""
    smsc = subprocess.Popen(
        [sys.executable, "-m", "tests.sinks.loopback_smsc"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert smsc.stdin is not None
    assert smsc.stdout is not None
    try:
        port = int(smsc.stdout.readline())
        for text in (ONE, THREE):
            rounds = asyncio.run(_rounds(port, text))
            best = min(rounds, key=lambda one: one.cpu)
            print(
                f"{best.parts // best.messages} part(s) of UCS-2, window {WINDOW}, best of {ROUNDS} x"
                f" {best.messages:,}: {best.messages / best.cpu:,.0f} messages ({best.parts / best.cpu:,.0f}"
                f" submits) a second of CPU, {best.messages / best.clock:,.0f} a second by the clock"
            )
            if text == ONE:
                verdict = "met" if best.messages / best.cpu >= GOAL else "MISSED"
                print(f"goal {GOAL:,} a second a core: {verdict}")
    finally:
        smsc.stdin.close()
        smsc.wait(10)


async def _rounds(port: int, text: str) -> Sequence[Measured]:
    settings = SmppSettings(
        host="127.0.0.1", port=port, system_id="bench", window=WINDOW,
        password_env="PASSWORD",  # noqa: S106 - a variable's name
    )  # fmt: skip
    provider = Smpp(settings, Around(Path(), print, environment={"PASSWORD": "secret"}))
    await provider.open()
    messages = [
        Message(f"{number:032x}", 0, f"phone:86138{number:08}", "sms", "bench", text)
        for number in range(BATCH)
    ]
    rounds = [await _round(provider, messages) for _ in range(ROUNDS)]
    await provider.close()
    return rounds


async def _round(provider: Smpp, messages: Sequence[Message]) -> Measured:
    parts = 0
    began, cpu = time.perf_counter(), time.process_time()
    for _ in range(MESSAGES // BATCH):
        batch = Batch(messages)
        await provider.send(batch)
        parts += sum(one.parts for one in batch.outcomes("lost") if isinstance(one, Accepted))
    measured = Measured(MESSAGES, parts, time.process_time() - cpu, time.perf_counter() - began)
    assert parts % MESSAGES == 0
    assert parts
    return measured


if __name__ == "__main__":
    main()
